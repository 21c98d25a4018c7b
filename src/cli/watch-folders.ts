/**
 * Watches folders and those in them for files that change. Each folder is watched by itself: editors put a new file in
 * the place of the old one, and a watch of
 * the file, which is what a recursive one is made of on Linux, sees nothing of it from then on.
 */
import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs'
import { join, relative } from 'node:path'

export interface Watching {
  close(): void
}

/** Folders of packages and hidden ones are left out. */
export function watchFolders(roots: readonly string[], changed: (file: string) => void): Watching {
  const watchers = new Map<string, FSWatcher>()
  const add = (folder: string): void => {
    if (watchers.has(folder)) return
    try {
      const watcher = watch(folder, (_, name) => {
        if (name === null) return
        const path = join(folder, name)
        if (isWatched(name) && isFolder(path)) add(path)
        else changed(relative('.', path))
      })
      watcher.on('error', () => drop(folder))
      watchers.set(folder, watcher)
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory() && isWatched(entry.name)) add(join(folder, entry.name))
    } catch {
      // It has gone again meanwhile.
      drop(folder)
    }
  }
  const drop = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  for (const root of roots) add(root)
  return { close: () => [...watchers.keys()].forEach(drop) }
}

function isWatched(name: string): boolean {
  return name !== 'node_modules' && !name.startsWith('.')
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
