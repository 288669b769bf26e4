// Checks deploy/kubernetes.yaml: against the image, against a server, and against the guide. No
// cluster has run the manifest yet.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { callCommand, startServer } from '../../packages/server/test-support/command.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface SecretKey {
  readonly name: string
  readonly key: string
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

interface Container {
  readonly args: readonly string[]
  readonly image: string
  readonly env: readonly {
    readonly name: string
    readonly valueFrom: { readonly secretKeyRef: SecretKey }
  }[]
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly securityContext: object
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } }
}

interface Pod {
  readonly metadata: { readonly labels: object }
  readonly spec: {
    readonly containers: readonly [Container]
    readonly securityContext: object
    readonly enableServiceLinks: boolean
    readonly automountServiceAccountToken: boolean
    readonly terminationGracePeriodSeconds?: number
    readonly restartPolicy?: string
  }
}

interface Manifest {
  readonly ConfigMap: {
    readonly metadata: { readonly name: string }
    readonly data: Readonly<Record<string, string>>
  }
  readonly Service: {
    readonly spec: { readonly selector: object; readonly ports: readonly { targetPort: string }[] }
  }
  readonly Job: { readonly spec: { readonly template: Pod } }
  readonly Deployment: {
    readonly spec: { readonly selector: { readonly matchLabels: object }; readonly template: Pod }
  }
}

/** Reads the objects of the manifest, by kind. */
function readManifest(): Manifest {
  const documents = parseAllDocuments(read('deploy/kubernetes.yaml'))
  assert.deepEqual(
    documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]),
    [],
  )
  const objects = documents.map((document) => document.toJS() as { readonly kind: string })
  const kinds = objects.map(({ kind }) => kind)
  assert.deepEqual(kinds, ['ConfigMap', 'Service', 'Job', 'Deployment'])
  return Object.fromEntries(objects.map((object) => [object.kind, object])) as unknown as Manifest
}

describe('the Kubernetes manifest', () => {
  const { ConfigMap, Service, Job, Deployment } = readManifest()
  const pods = [Job.spec.template, Deployment.spec.template]
  const [migrate] = Job.spec.template.spec.containers
  const [server] = Deployment.spec.template.spec.containers
  const dockerfile = read('deploy/Dockerfile')

  let cwd: string
  before(() => void (cwd = mkdtempSync(join(tmpdir(), 'keystile-kubernetes-'))))
  after(() => rmSync(cwd, { recursive: true }))

  it('with the variables of the manifest and the image, the settings are fine', async () => {
    const values: Readonly<Record<string, string>> = {
      DATABASE_URL: 'postgres://keystile_app:secret@postgres/keystile?sslmode=verify-full',
      KEYSTILE_KEY: 'a sealing key for tests: 0123456789 abcdef',
    }
    for (const { env, envFrom } of [migrate, server])
      assert.deepEqual(
        [envFrom, env.filter(({ name }) => !(name in values))],
        [[{ configMapRef: { name: ConfigMap.metadata.name } }], []],
      )
    const [, host = ''] = /KEYSTILE_HOST=(\S+)/.exec(dockerfile) ?? []
    const env = { ...ConfigMap.data, ...values, KEYSTILE_HOST: host }
    const { stdout, stderr } = await callCommand(['config', 'check'], { cwd, env })
    assert.equal(stderr, '')
    assert.match(stdout, /^the settings are fine: https:\/\/auth\.example, /)
  })

  it('the manifest trusts single addresses as proxies, not the range of all pods', () => {
    const proxies = ConfigMap.data['KEYSTILE_TRUSTED_PROXIES']?.split(',') ?? []
    for (const proxy of proxies) assert.equal(isIP(proxy), 4, proxy)
  })

  it('the probes of the manifest ask a running server for paths that it has', async () => {
    const probes = [server.startupProbe, server.livenessProbe, server.readinessProbe]
    const paths = probes.map((probe) => probe?.httpGet.path)
    assert.deepEqual(paths, ['/healthz', '/healthz', '/readyz'])
    for (const probe of probes) assert.equal(probe?.httpGet.port, server.ports?.[0]?.name)

    const running = await startServer({ cwd })
    try {
      for (const path of paths) assert.equal((await fetch(`${running.url}${path}`)).status, 200)
    } finally {
      await running.stop()
    }
  })

  it('the Service reaches the port on which the image listens, and only the servers', () => {
    const [port] = server.ports ?? []
    assert.equal(port?.containerPort, Number(/^EXPOSE (\d+)$/m.exec(dockerfile)?.[1]))
    assert.deepEqual(
      Service.spec.ports.map(({ targetPort }) => targetPort),
      [port?.name],
    )
    const { matchLabels } = Deployment.spec.selector
    assert.deepEqual(Service.spec.selector, matchLabels)
    assert.deepEqual(Deployment.spec.template.metadata.labels, matchLabels)
    assert.notDeepEqual(Job.spec.template.metadata.labels, matchLabels)
  })

  it('the pods of the manifest run without rights, as the user of the image', () => {
    const [, user, group] = /^USER (\d+):(\d+)$/m.exec(dockerfile) ?? []
    for (const { spec } of pods) {
      assert.deepEqual(spec.securityContext, {
        runAsNonRoot: true,
        runAsUser: Number(user),
        runAsGroup: Number(group),
        seccompProfile: { type: 'RuntimeDefault' },
      })
      assert.deepEqual(spec.containers[0].securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      assert.equal(spec.enableServiceLinks, false)
      assert.equal(spec.automountServiceAccountToken, false)
    }
  })

  it('the Job migrates and the Deployment serves, with the same image', () => {
    assert.deepEqual([migrate.args, server.args], [['migrate'], ['serve']])
    assert.equal(migrate.image, server.image)
    assert.equal(Job.spec.template.spec.restartPolicy, 'OnFailure')
  })

  it('a pod has time to finish its requests before Kubernetes kills it', () => {
    const [, pause] = server.lifecycle?.preStop.exec.command ?? []
    const [, stop] = /^TimeoutStopSec=(\d+)$/m.exec(read('deploy/keystile.service')) ?? []
    const grace = Deployment.spec.template.spec.terminationGracePeriodSeconds
    assert.equal(grace, Number(pause) + Number(stop))
  })

  it('the guide creates the Secrets that the manifest reads', () => {
    const guide = read('docs/guides/deployment.md')
    const created = [
      ...guide.matchAll(/kubectl create secret generic (\S+) .*<<END\n([^]*?)\nEND\n/g),
    ]
    const keys = created.flatMap(([, name, rest = '']) =>
      [...rest.matchAll(/^(\w+)=/gm)].map(([, key]) => ({ name, key })),
    )
    const needed = [migrate, server].flatMap(({ env }) =>
      env.map(({ valueFrom }) => valueFrom.secretKeyRef),
    )
    assert.deepEqual(keys, needed)
  })
})
