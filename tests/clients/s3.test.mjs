// Amazon's JavaScript client for S3 reads what UNLOAD wrote and writes what COPY reads.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import pg from 'pg'
import { Leat } from '../sdk/leat.mjs'

const Bucket = 'client-bucket'
const MiB = 1 << 20
let leat, options, s3, sql

before(async () => {
  leat = await Leat.start()
  const { url, region, access_key_id, secret_access_key } = leat.connection.data_api
  options = {
    endpoint: url,
    region,
    credentials: { accessKeyId: access_key_id, secretAccessKey: secret_access_key },
    forcePathStyle: true,
  }
  s3 = new S3Client(options)
  const { host, port, user, password, database } = leat.connection.warehouse
  sql = new pg.Client({ host, port, user, password, database, connectionTimeoutMillis: 20_000, query_timeout: 60_000 })
  await sql.connect()
})

after(async () => {
  await sql?.end()
  await leat?.stop()
})

const put = (Key, Body, more = {}) => s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const get = async (Key, more = {}) => {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
  return { ...answer, text: await answer.Body.transformToString() }
}
const keys = async (Prefix) => {
  const found = []
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 2 }, { Bucket, Prefix })) {
    found.push(...(page.Contents ?? []).map(({ Key }) => Key))
  }
  return found
}

test('objects are put, described, read and deleted', async () => {
  const Key = "dir/a b+\u00e9~!*'().txt"
  const { ETag } = await put(Key, 'hello')
  const head = await s3.send(new HeadObjectCommand({ Bucket, Key }))
  assert.equal(head.ContentLength, 5)
  assert.equal(head.ETag, ETag)
  assert.ok(Math.abs(head.LastModified - Date.now()) < 60_000)
  assert.equal((await get(Key)).text, 'hello')
  const part = await get(Key, { Range: 'bytes=1-3' })
  assert.deepEqual([part.text, part.ContentRange], ['ell', 'bytes 1-3/5'])
  assert.deepEqual(await keys('dir/'), [Key])
  await s3.send(new DeleteObjectCommand({ Bucket, Key }))
  await assert.rejects(get(Key), { name: 'NoSuchKey' })
  await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key })), { name: 'NotFound' })
})

test('streams come in chunks with a checksum behind them', async () => {
  const pieces = Array.from({ length: 5 }, (_, i) => Buffer.alloc(70_000, 97 + i))
  await put('stream', Readable.from(pieces), { ContentLength: 350_000 })
  assert.equal((await get('stream')).text, Buffer.concat(pieces).toString())
  for (const ChecksumAlgorithm of ['CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']) {
    await put('checked', ChecksumAlgorithm, { ChecksumAlgorithm })
    assert.equal((await get('checked')).text, ChecksumAlgorithm)
  }
})

test('listings fold, page and encode', async () => {
  const names = ['l/1', 'l/2', 'l/b & c/3', 'l/b & c/4', 'l/z']
  for (const name of names) await put(name, name)
  assert.deepEqual(await keys('l/'), names)
  const folded = await s3.send(new ListObjectsCommand({ Bucket, Prefix: 'l/', Delimiter: '/', EncodingType: 'url' }))
  assert.deepEqual(
    folded.Contents.map(({ Key }) => Key),
    ['l/1', 'l/2', 'l/z'],
  )
  assert.deepEqual(folded.CommonPrefixes, [{ Prefix: 'l/b%20%26%20c/' }])
  const { Buckets } = await s3.send(new ListBucketsCommand({}))
  assert.ok(Buckets.some(({ Name }) => Name === Bucket))
  const { BucketRegion } = await s3.send(new HeadBucketCommand({ Bucket }))
  assert.equal(BucketRegion, 'us-east-1')
  const { Deleted, Errors } = await s3.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects: names.map((Key) => ({ Key })) } }),
  )
  assert.equal(Deleted.length, names.length)
  assert.equal(Errors, undefined)
  assert.deepEqual(await keys('l/'), [])
})

test('objects are copied and written once', async () => {
  await put('from', 'content')
  await s3.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/from` }))
  assert.equal((await get('to')).text, 'content')
  await put('once', '1', { IfNoneMatch: '*' })
  await assert.rejects(put('once', '2', { IfNoneMatch: '*' }), { name: 'PreconditionFailed' })
  const { ETag } = await get('once')
  await assert.rejects(get('once', { IfNoneMatch: ETag }), (error) => error.$metadata.httpStatusCode === 304)
})

test('large objects go up in parts', async () => {
  const Key = 'large'
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  const upload = { Bucket, Key, UploadId }
  const bodies = [Buffer.alloc(5 * MiB, 'a'), Buffer.alloc(5 * MiB, 'b'), Buffer.from('end')]
  const Parts = []
  for (const [i, Body] of bodies.entries()) {
    const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber: i + 1, Body }))
    Parts.push({ ETag, PartNumber: i + 1 })
  }
  await put('source', '0123456789')
  const copied = await s3.send(
    new UploadPartCopyCommand({
      ...upload,
      PartNumber: 4,
      CopySource: `${Bucket}/source`,
      CopySourceRange: 'bytes=2-4',
    }),
  )
  Parts.push({ ETag: copied.CopyPartResult.ETag, PartNumber: 4 })
  assert.equal((await s3.send(new ListPartsCommand(upload))).Parts.length, 4)
  assert.equal((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads.length, 1)
  await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }))
  const whole = await get(Key)
  assert.equal(whole.ContentLength, 10 * MiB + 6)
  assert.equal(whole.text, Buffer.concat([...bodies, Buffer.from('234')]).toString())
  const other = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: other.UploadId }))
  await assert.rejects(s3.send(new ListPartsCommand({ Bucket, Key, UploadId: other.UploadId })), {
    name: 'NoSuchUpload',
  })
})

test('UNLOAD, then S3; S3, then COPY', async () => {
  await sql.query('create table numbers (n int, word varchar(20))')
  await sql.query("insert into numbers select n, 'word ' || n from generate_series(1, 1000) as g(n)")
  await sql.query(
    `unload ('select * from numbers order by n') to 's3://${Bucket}/unloaded/'
     iam_role default csv header parallel off`,
  )
  const [Key, ...rest] = await keys('unloaded/')
  assert.deepEqual(rest, [])
  const lines = (await get(Key)).text.trim().split('\n')
  assert.deepEqual([lines.length, lines[0], lines[1000]], [1001, 'n,word', '1000,word 1000'])
  await put('incoming/a.csv', '1,"one, and"\n2,two\n')
  await put('incoming/b.csv', '3,three\n')
  await sql.query('create table incoming (n int, word varchar(20))')
  await sql.query(`copy incoming from 's3://${Bucket}/incoming/' iam_role default csv`)
  const { rows } = await sql.query('select n, word from incoming order by n')
  assert.deepEqual(rows, [
    { n: 1, word: 'one, and' },
    { n: 2, word: 'two' },
    { n: 3, word: 'three' },
  ])
})

test('only keys of superusers are let in', async () => {
  const credentials = { ...options.credentials, secretAccessKey: 'another secret' }
  const stranger = new S3Client({ ...options, credentials })
  await assert.rejects(stranger.send(new ListObjectsCommand({ Bucket })), { name: 'SignatureDoesNotMatch' })
})
