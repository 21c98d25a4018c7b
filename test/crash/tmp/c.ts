import { runCuts } from '../power-cuts.ts'
const [seed, states, flush, large, planted] = process.argv.slice(2)
const t = performance.now()
console.log(await runCuts({ seed: Number(seed), states: Number(states), flush: flush as 'pool', large: large === 'large', ...(planted ? { planted: planted as 'never' } : {}), say: console.log }))
console.log(performance.now() - t)
