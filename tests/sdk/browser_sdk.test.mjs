// @segment/analytics-next in headless Chromium sends every call type; every property is read back and compared.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { assertCorrected, compareRow } from './compare.mjs'
import { Leat } from './leat.mjs'

const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const script = createRequire(import.meta.url).resolve('@segment/analytics-next/dist/umd/index.js')

const page = '<!doctype html><meta charset="utf-8"><title>Shöp 🚀</title><script src="/library.js"></script>'

const sent = [] // every event body that left the browser, in order
let leat, web, browser, requestErrors

before(async () => {
  leat = await Leat.start()
  const library = await readFile(script)
  web = createServer((request, reply) => {
    const isLibrary = request.url === '/library.js'
    reply.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html; charset=utf-8')
    reply.end(isLibrary ? library : page)
  })
  await new Promise((done) => web.listen(0, '127.0.0.1', done))
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: chromiumArguments,
    timeout: 60_000,
  })
  requestErrors = await drive()
  await leat.sync()
})

after(async () => {
  await browser?.close()
  web?.close()
  await leat?.stop()
})

async function drive() {
  const tab = await browser.newPage({ locale: 'de-CH', timezoneId: 'Europe/Zurich' })
  tab.setDefaultTimeout(30_000)
  const errors = []
  tab.on('request', (request) => {
    if (request.method() === 'POST' && /\/v1\/[tipgas]$/.test(request.url()))
      sent.push(JSON.parse(request.postData()))
  })
  tab.on('requestfailed', (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`))
  tab.on('response', (reply) => {
    if (reply.status() >= 400 && !reply.url().endsWith('/favicon.ico'))
      errors.push(`${reply.url()}: ${reply.status()}`)
  })
  tab.on('pageerror', (error) => errors.push(String(error)))
  await tab.goto(`http://127.0.0.1:${web.address().port}/shop?utm_campaign=spring&utm_source=mail&q=1`)
  await tab.evaluate(calls, { collect: leat.connection.collect.url, writeKey: leat.source.write_key })
  await tab.close()
  return errors
}

// Runs in the browser.
async function calls({ collect, writeKey }) {
  const apiHost = `${collect.replace('http://', '').replace(/\/$/, '')}/v1`
  const analytics = await window.AnalyticsNext.AnalyticsBrowser.load(
    { writeKey, cdnURL: collect.replace(/\/$/, '') },
    { integrations: { 'Segment.io': { apiHost, protocol: 'http' } } },
  ).then(([ready]) => ready)
  const delivered = new Promise((done) => {
    let count = 0
    const seen = () => {
      count += 1
      if (count === 6) done()
    }
    new PerformanceObserver((list) =>
      list
        .getEntries()
        .filter(({ name }) => /\/v1\/[tipgas]$/.test(name))
        .forEach(seen),
    ).observe({ type: 'resource', buffered: true })
  })
  await analytics.page('Docs', 'Home', { sectionName: 'Entry', depth: 2 })
  await analytics.identify('u7', { email: 'ann@example.com', logins: 3, address: { city: 'Zürich' } })
  await analytics.track('Signed Up!', {
    plan: 'Pro',
    price: 14.99,
    seats: 3,
    trial: false,
    tags: ['a', 'b'],
    nested: { deepValue: 'x' },
    nothing: null,
    emoji: '🚀',
    at: '2026-02-28T10:00:00.000Z',
    user: 'y',
  })
  await analytics.group('g7', { name: 'Initech', employees: 9 })
  await analytics.screen('Cart', { items: 2 })
  await analytics.alias('u8', 'u7')
  await delivered
}

const snakeContext = {
  'context.page.path': 'context_page_path',
  'context.page.referrer': 'context_page_referrer',
  'context.page.search': 'context_page_search',
  'context.page.title': 'context_page_title',
  'context.page.url': 'context_page_url',
  'context.userAgent': 'context_user_agent',
  'context.userAgentData.brands': 'context_user_agent_data_brands',
  'context.userAgentData.mobile': 'context_user_agent_data_mobile',
  'context.userAgentData.platform': 'context_user_agent_data_platform',
  'context.locale': 'context_locale',
  'context.library.name': 'context_library_name',
  'context.library.version': 'context_library_version',
  'context.campaign.name': 'context_campaign_name',
  'context.campaign.source': 'context_campaign_source',
  'context.timezone': 'context_timezone',
  'context.groupId': 'context_group_id',
  'context.traits.email': 'context_traits_email',
  'context.traits.logins': 'context_traits_logins',
  'context.traits.address.city': 'context_traits_address_city',
}
const standard = {
  messageId: 'id',
  userId: 'user_id',
  anonymousId: 'anonymous_id',
  timestamp: 'original_timestamp',
  sentAt: 'sent_at',
  ...snakeContext,
}
const isTime = (text) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(text)

async function check(type, table, own, { timestamps = [], extra = {} } = {}) {
  const event = sent.find((body) => body.type === type)
  assert.ok(event, `the library sent a ${type}`)
  const row = (await leat.rows(table)).find(({ id }) => id === event.messageId)
  assert.ok(row, `${table} has the row`)
  assertCorrected(row)
  return compareRow(event, row, {
    columns: { ...standard, ...own },
    timestamps: new Set(['sentAt', 'timestamp', ...timestamps]),
    extra: {
      received_at: isTime,
      uuid: (n) => /^-?\d+$/.test(String(n)),
      uuid_ts: isTime,
      timestamp: isTime,
      context_ip: '127.0.0.1',
      ...extra,
    },
  })
}

test('the browser met no error, CORS included', () => assert.deepEqual(requestErrors, []))

test('track', () =>
  check(
    'track',
    'signed_up',
    {
      event: 'event_text',
      'properties.plan': 'plan',
      'properties.price': 'price',
      'properties.seats': 'seats',
      'properties.trial': 'trial',
      'properties.tags': 'tags',
      'properties.nested.deepValue': 'nested_deep_value',
      'properties.emoji': 'emoji',
      'properties.at': 'at',
      'properties.user': '_user',
    },
    { timestamps: ['properties.at'], extra: { event: 'signed_up' } },
  ))

test('identify', () =>
  check('identify', 'identifies', {
    'traits.email': 'email',
    'traits.logins': 'logins',
    'traits.address.city': 'address_city',
  }))

test('page', () =>
  check('page', 'pages', {
    name: 'name',
    category: 'category',
    'properties.name': 'name',
    'properties.category': 'category',
    'properties.sectionName': 'section_name',
    'properties.depth': 'depth',
    'properties.path': 'path',
    'properties.referrer': 'referrer',
    'properties.search': 'search',
    'properties.title': 'title',
    'properties.url': 'url',
  }))

test('screen', () =>
  check('screen', 'screens', {
    name: 'name',
    'properties.name': 'name',
    'properties.items': 'items',
    'properties.path': 'path',
    'properties.referrer': 'referrer',
    'properties.search': 'search',
    'properties.title': 'title',
    'properties.url': 'url',
  }))

test('group', () =>
  check('group', 'groups', {
    groupId: 'group_id',
    'traits.name': 'name',
    'traits.employees': 'employees',
  }))

test('alias', () => check('alias', 'aliases', { previousId: 'previous_id' }))

test('the books balance', async () => assert.equal((await leat.status()).balanced, true))
