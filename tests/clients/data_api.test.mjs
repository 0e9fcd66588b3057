// Amazon's JavaScript clients ask the Data API and log in with temporary passwords.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Redshift } from '@aws-sdk/client-redshift'
import { RedshiftData } from '@aws-sdk/client-redshift-data'
import { RedshiftServerless } from '@aws-sdk/client-redshift-serverless'
import pg from 'pg'
import { Leat } from '../sdk/leat.mjs'

const target = { WorkgroupName: 'leat', Database: 'dev' }
let leat, options, data

before(async () => {
  leat = await Leat.start()
  const { url, region, access_key_id, secret_access_key } = leat.connection.data_api
  options = {
    endpoint: url,
    region,
    credentials: { accessKeyId: access_key_id, secretAccessKey: secret_access_key },
  }
  data = new RedshiftData(options)
})

after(() => leat?.stop())

const run = (Sql, more = {}) => data.executeStatement({ ...target, Sql, WaitTimeSeconds: 30, ...more })

async function rows(Id) {
  const records = []
  let NextToken
  do {
    const page = await data.getStatementResult({ Id, NextToken })
    records.push(...page.Records)
    NextToken = page.NextToken
  } while (NextToken)
  return records.map((row) => row.map((field) => (field.isNull ? null : Object.values(field)[0])))
}

test('a statement with parameters, polled as older clients do', async () => {
  const { Id, CreatedAt } = await data.executeStatement({
    ...target,
    Sql: "select :id::int as id, :name || '!' as name, null as nothing, 1.5::float8 as half, true as yes",
    Parameters: [
      { name: 'id', value: '42' },
      { name: 'name', value: "O'Hara" },
    ],
    StatementName: 'asked by the test',
  })
  assert.ok(Math.abs(CreatedAt - Date.now()) < 60_000)
  let described
  do {
    described = await data.describeStatement({ Id })
    assert.ok(!['FAILED', 'ABORTED'].includes(described.Status), described.Error)
  } while (described.Status !== 'FINISHED')
  assert.equal(described.ResultRows, 1)
  assert.equal(described.HasResultSet, true)
  assert.ok(described.Duration > 0)
  assert.equal(described.QueryParameters.length, 2)
  const result = await data.getStatementResult({ Id })
  assert.deepEqual(
    result.ColumnMetadata.map(({ name }) => name),
    ['id', 'name', 'nothing', 'half', 'yes'],
  )
  assert.equal(result.ColumnMetadata[0].typeName, 'int4')
  assert.deepEqual(await rows(Id), [[42, "O'Hara!", null, 1.5, true]])
  const { Statements } = await data.listStatements({ StatementName: 'asked' })
  assert.deepEqual(
    Statements.map((each) => each.Id),
    [Id],
  )
})

test('a wait saves the polling', async () => {
  const { Status, HasResultSet, Id } = await run('select 1')
  assert.deepEqual([Status, HasResultSet], ['FINISHED', true])
  assert.deepEqual(await rows(Id), [[1]])
})

test('pages', async () => {
  const { Id } = await run("select n, repeat('x', 500) from generate_series(1, 5000) as g(n) order by n")
  const all = await rows(Id)
  assert.equal(all.length, 5000)
  assert.equal(all[4999][0], 5000)
})

test('a batch is one transaction; CSV', async () => {
  await run('create table batch (a int)')
  const { Id } = await data.batchExecuteStatement({
    ...target,
    Sqls: ['insert into batch values (1)', 'insert into batch values (2)', 'select a, null from batch order by a'],
    ResultFormat: 'CSV',
    WaitTimeSeconds: 30,
  })
  const described = await data.describeStatement({ Id })
  assert.deepEqual(
    described.SubStatements.map((each) => each.Status),
    ['FINISHED', 'FINISHED', 'FINISHED'],
  )
  const result = await data.getStatementResultV2({ Id: `${Id}:3` })
  assert.equal(result.Records.map((each) => each.CSVRecords).join(''), '1,\r\n2,\r\n')
  const failed = await data.batchExecuteStatement({
    ...target,
    Sqls: ['insert into batch values (3)', 'insert into nowhere values (1)'],
    WaitTimeSeconds: 30,
  })
  assert.equal(failed.Status, 'FAILED')
  assert.deepEqual(await rows((await run('select count(*) from batch')).Id), [[2]])
})

test('a session', async () => {
  const { SessionId } = await run('create temp table mine (a int)', { SessionKeepAliveSeconds: 60 })
  const inside = (Sql) => data.executeStatement({ SessionId, Sql, WaitTimeSeconds: 30 })
  assert.equal((await inside('insert into mine values (7)')).Status, 'FINISHED')
  assert.deepEqual(await rows((await inside('select a from mine')).Id), [[7]])
  const { Sessions } = await data.listSessions({})
  assert.equal(Sessions[0].SessionId, SessionId)
})

test('the catalog', async () => {
  await run('create schema shop')
  await run('create table shop.items (id int not null, name varchar(20))')
  const { Databases } = await data.listDatabases(target)
  assert.ok(Databases.includes('dev'))
  const { Schemas } = await data.listSchemas({ ...target, SchemaPattern: 'sho_' })
  assert.deepEqual(Schemas, ['shop'])
  const { Tables } = await data.listTables({ ...target, SchemaPattern: 'shop' })
  assert.deepEqual(Tables, [{ name: 'items', schema: 'shop', type: 'TABLE' }])
  const { ColumnList } = await data.describeTable({ ...target, Schema: 'shop', Table: 'items' })
  assert.deepEqual(
    ColumnList.map(({ name, typeName, nullable, length }) => [name, typeName, nullable, length]),
    [
      ['id', 'int4', 0, 10],
      ['name', 'varchar', 1, 20],
    ],
  )
})

test('errors have the names that clients look for', async () => {
  const { Status, Id } = await run('select nowhere')
  assert.equal(Status, 'FAILED')
  assert.match((await data.describeStatement({ Id })).Error, /^ERROR: column "nowhere" does not exist/)
  await assert.rejects(data.getStatementResult({ Id }), { name: 'ResourceNotFoundException' })
  await assert.rejects(data.describeStatement({ Id: 'x' }), { name: 'ValidationException' })
  await assert.rejects(data.cancelStatement({ Id }), { name: 'ValidationException' })
  const stranger = new RedshiftData({
    ...options,
    credentials: { ...options.credentials, secretAccessKey: 'another secret' },
  })
  await assert.rejects(stranger.listStatements({}), { name: 'InvalidSignatureException' })
})

test('a running statement is cancelled', async () => {
  const { Id } = await data.executeStatement({
    ...target,
    Sql: `select count(*) from generate_series(1, 100000) a(x), generate_series(1, 100000) b(y),
      generate_series(1, 1000) c(z) where (x * y * z) % 7 = 3`,
  })
  assert.equal((await data.cancelStatement({ Id })).Status, true)
  assert.equal((await data.describeStatement({ Id, WaitTimeSeconds: 30 })).Status, 'ABORTED')
})

async function userOf(user, password) {
  const { host, port, database } = leat.connection.warehouse
  const client = new pg.Client({ host, port, database, user, password, connectionTimeoutMillis: 20_000 })
  await client.connect()
  const { rows: found } = await client.query('select current_user as name')
  await client.end()
  return found[0].name
}

test('temporary passwords open the PostgreSQL port', async () => {
  const redshift = new Redshift(options)
  const given = await redshift.getClusterCredentials({
    ClusterIdentifier: 'leat',
    DbUser: 'fresh',
    AutoCreate: true,
    DbName: 'dev',
  })
  assert.equal(given.DbUser, 'IAMA:fresh')
  assert.ok(given.Expiration > new Date())
  assert.equal(await userOf(given.DbUser, given.DbPassword), 'fresh')
  const withIam = await redshift.getClusterCredentialsWithIAM({ ClusterIdentifier: 'leat' })
  assert.equal(await userOf(withIam.DbUser, withIam.DbPassword), 'leat')
  await assert.rejects(userOf(withIam.DbUser, 'another'), { code: '28000' })
  const { Clusters } = await redshift.describeClusters({})
  assert.deepEqual(Clusters[0].Endpoint, {
    Address: leat.connection.warehouse.host,
    Port: leat.connection.warehouse.port,
  })
  const serverless = new RedshiftServerless(options)
  const { dbUser, dbPassword } = await serverless.getCredentials({ workgroupName: 'leat' })
  assert.equal(await userOf(dbUser, dbPassword), 'leat')
  const { workgroup } = await serverless.getWorkgroup({ workgroupName: 'leat' })
  assert.equal(workgroup.endpoint.port, leat.connection.warehouse.port)
})
