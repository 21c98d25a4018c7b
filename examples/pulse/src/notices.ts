/** Notices to people: outside of the store, so they may be sent twice; the key makes the second one nothing. */
import { DatabaseSync } from 'node:sqlite'
import { resource } from 'millrace'
import { settings } from './settings.ts'

export interface Notices {
  send(key: string, by: string, text: string): void
}

interface File extends Notices {
  close(): void
}

export const notices = resource('notices', {
  needs: { path: settings.pick('NOTICES') },
  open: ({ path }): Notices => openFile(path),
  close: (it) => (it as File).close(),
})

function openFile(path: string): File {
  const db = new DatabaseSync(path)
  db.exec('pragma journal_mode = wal; create table if not exists notices (key text primary key, by text not null, text text not null)')
  const insert = db.prepare('insert into notices (key, by, text) values (?, ?, ?) on conflict do nothing')
  return { send: (key, by, text) => void insert.run(key, by, text), close: () => db.close() }
}
