// A `GaugeMetric`, which this room is too low to name.
export const writeQueueLength = {
  type: 'gauge',
  name: 'keystile_write_queue_length',
  help: 'Commands that wait to be written, or are being written.',
} as const
