/**
 * Whether an environment variable describes a Service of Kubernetes whose name begins with
 * `keystile`. Kubernetes adds such variables to each container in the namespace of the Service, so
 * the operator has not set them.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function isOfService(name: string, value: string = ''): boolean {
  return (
    serviceVariable.test(name) ||
    linkVariable.test(name) ||
    (linkUrlVariable.test(name) && /^(tcp|udp|sctp):\/\//.test(value))
  )
}

/** Such as `KEYSTILE_SERVICE_HOST`, `KEYSTILE_SERVICE_PORT` or `KEYSTILE_API_SERVICE_PORT_HTTP`. */
const serviceVariable = /^KEYSTILE_(\w+_)?SERVICE_(HOST|PORT(_\w+)?)$/

/** Such as `KEYSTILE_PORT_8000_TCP` or `KEYSTILE_PORT_8000_TCP_ADDR`. */
const linkVariable = /^KEYSTILE_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/

/**
 * Such as `KEYSTILE_PORT=tcp://10.0.0.1:8000`. `KEYSTILE_PORT` is also a setting, so the value
 * decides.
 */
const linkUrlVariable = /^KEYSTILE_(\w+_)?PORT$/
