/** The doors: a route publishes an event or asks a query. What comes in is checked by the event's own schema. */
import { route } from 'millrace'
import { OrderPlaced } from './events.ts'
import { orderOf, ordersOf, revenueToday } from './projections.ts'

export const postOrder = route('POST /orders', OrderPlaced)
export const getOrder = route('GET /orders/:orderId', orderOf)
export const getOrders = route('GET /customers/:customerId/orders', ordersOf)
export const getRevenue = route('GET /revenue/today', revenueToday)
