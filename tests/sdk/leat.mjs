// Starts the real program on a fresh data directory and reads its warehouse back, for the client tests.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const run = promisify(execFile)
const startLimitMs = 60_000
const callLimitMs = 60_000

// Timestamps come back as text, so that no client time zone touches them; bigint as text, so that none is rounded.
pg.types.setTypeParser(1114, (text) => text)

export class Leat {
  static async start() {
    const binary = resolve(process.env.LEAT_BINARY ?? process.env.LEAT_BUILT_BINARY ?? 'build/release/leat')
    const folder = await mkdtemp(join(tmpdir(), 'leat-sdk-'))
    const leat = new Leat(binary, folder)
    await leat.#waitReady()
    leat.connection = JSON.parse(await readFile(join(folder, 'data', 'connection.json'), 'utf8'))
    leat.source = leat.connection.sources[0]
    return leat
  }

  constructor(binary, folder) {
    this.binary = binary
    this.folder = folder
    this.data = join(folder, 'data')
    this.errors = ''
    const listen = '127.0.0.1:0'
    this.process = spawn(binary, ['up', '--data', this.data], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        LEAT_COLLECT_LISTEN: listen,
        LEAT_CONSOLE_LISTEN: listen,
        LEAT_WAREHOUSE_LISTEN: listen,
        LEAT_DATA_API_LISTEN: listen,
      },
    })
    this.process.stderr.on('data', (piece) => {
      this.errors += piece
    })
    this.exited = new Promise((done) => this.process.once('exit', (code, signal) => done({ code, signal })))
  }

  #waitReady() {
    return new Promise((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`leat is not ready: ${this.errors}`)), startLimitMs)
      let text = ''
      this.process.stdout.on('data', (piece) => {
        text += piece
        if (/^ready$/m.test(text)) {
          clearTimeout(timer)
          done()
        }
      })
      this.process.once('exit', (code) => {
        clearTimeout(timer)
        failed(new Error(`leat ended with ${code}: ${this.errors}`))
      })
    })
  }

  // Seals and loads everything that was acknowledged.
  async sync() {
    return run(this.binary, ['sync', '--data', this.data], { timeout: callLimitMs })
  }

  async status() {
    const { stdout } = await run(this.binary, ['status', '--json', '--data', this.data], {
      timeout: callLimitMs,
    })
    return JSON.parse(stdout)
  }

  // The rows of one table of the source's schema, as objects.
  async rows(table, order = 'received_at, id') {
    const w = this.connection.warehouse
    const client = new pg.Client({
      host: w.host,
      port: w.port,
      user: w.user,
      password: w.password,
      database: w.database,
      connectionTimeoutMillis: 10_000,
      query_timeout: callLimitMs,
    })
    await client.connect()
    try {
      return (await client.query(`select * from "${this.source.schema}"."${table}" order by ${order}`)).rows
    } finally {
      await client.end()
    }
  }

  async stop() {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 15_000)
    this.process.kill('SIGTERM')
    const { code } = await this.exited
    clearTimeout(timer)
    await rm(this.folder, { recursive: true, force: true })
    if (code !== 0) throw new Error(`leat ended with ${code} on SIGTERM: ${this.errors}`)
  }
}
