/** The apps that are measured, written with the product's own words. */
import { app, event, fn, type App } from 'millrace'
import { orderSchema, type Order } from './order.ts'

export const OrderPlaced = event('OrderPlaced', orderSchema, { key: (order: Order) => order.customerId })

/** One function, with validation, `where` and the whole delivery policy. */
export function oneFunction(handle: (order: Order) => void): App {
  return app('bench', [OrderPlaced, functionNamed('take-order', handle)])
}

export function manyFunctions(count: number, handle: (order: Order, at: number) => void): App {
  return app('bench', [
    OrderPlaced,
    ...Array.from({ length: count }, (_, at) => functionNamed(`take-order-${at}`, (order) => handle(order, at))),
  ])
}

function functionNamed(name: string, handle: (order: Order) => void) {
  return fn(name, OrderPlaced, {
    where: { data: { total: [{ numeric: ['>', 0] }] } },
    run: async (order) => handle(order),
  })
}
