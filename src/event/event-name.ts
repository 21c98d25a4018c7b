/** What an event is known by: (tenant, source, id), as one text. */
export function eventName(event: { readonly tenant: string; readonly source: string; readonly id: string }): string {
  return `${event.tenant}\n${event.source}\n${event.id}`
}
