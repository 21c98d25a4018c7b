import { runKills } from '/work/main/test/crash/kills.ts'
const t = performance.now()
console.log(await runKills({ seed: Number(process.argv[2] ?? 1), kills: Number(process.argv[3] ?? 3), flush: (process.argv[4] ?? 'pool') as 'pool', say: console.log }))
console.log(performance.now() - t)
