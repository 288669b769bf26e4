import type { CounterMetric, GaugeMetric, HistogramMetric } from '../feature/metric.ts'

/**
 * Counts requests. `route` is the pattern of the route, or `-` for an unknown path. It is never the
 * path itself, because a sender could then create a new label value with each request.
 */
export const requests: CounterMetric<{ readonly route: string; readonly status: string }> = {
  type: 'counter',
  name: 'keystile_requests_total',
  help: 'Answered requests, by route and status.',
  labels: { route: [], status: [] },
}

export const requestSeconds: HistogramMetric<{ readonly route: string }> = {
  type: 'histogram',
  name: 'keystile_request_seconds',
  help: 'Time from the end of the request header to the answer, by route.',
  labels: { route: [] },
}

export const connections: GaugeMetric = {
  type: 'gauge',
  name: 'keystile_connections',
  help: 'Open connections.',
}

export const droppedConnections: CounterMetric<{}> = {
  type: 'counter',
  name: 'keystile_connections_dropped_total',
  help: 'Connections refused because too many were open.',
  labels: {},
}
