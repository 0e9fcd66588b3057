// @segment/analytics-node sends every call type; every property is read back from the warehouse and compared.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Analytics } from '@segment/analytics-node'
import { assertCorrected, compareRow } from './compare.mjs'
import { Leat } from './leat.mjs'

const sentEvents = new Map() // message id -> the event as it went over the wire
let leat

const isTime = (text) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(text)
const isUuid = (number) => /^-?\d+$/.test(String(number))
// What the service itself adds to every row.
const service = { received_at: isTime, uuid: isUuid, uuid_ts: isTime, sent_at: isTime, timestamp: isTime }

const standard = {
  messageId: 'id',
  userId: 'user_id',
  anonymousId: 'anonymous_id',
  timestamp: 'original_timestamp',
  'context.library.name': 'context_library_name',
  'context.library.version': 'context_library_version',
  'context.ip': 'context_ip',
  'context.userAgent': 'context_user_agent',
  'context.locale': 'context_locale',
  'context.page.url': 'context_page_url',
  'context.page.title': 'context_page_title',
  'context.campaign.name': 'context_campaign_name',
  'context.campaign.source': 'context_campaign_source',
  'context.device.adTrackingEnabled': 'context_device_ad_tracking_enabled',
  'context.screen.width': 'context_screen_width',
  'context.screen.density': 'context_screen_density',
  'context.traits.firstName': 'context_traits_first_name',
}
const context = {
  ip: '203.0.113.9',
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64)',
  locale: 'de-CH',
  page: { url: 'https://shop.example/p?id=1#top', title: 'Grüezi 🚀 "quoted" \\ back' },
  campaign: { name: 'spring', source: 'mail' },
  device: { adTrackingEnabled: true },
  screen: { width: 1440, density: 2.5 },
  traits: { firstName: 'Ann' },
}

before(async () => {
  leat = await Leat.start()
  const analytics = new Analytics({
    writeKey: leat.source.write_key,
    host: leat.connection.collect.url,
    path: '/v1/batch',
    flushAt: 4,
    maxRetries: 2,
  })
  const failures = []
  analytics.on('error', (error) => failures.push(error))
  analytics.on('http_request', ({ body }) => {
    const parsed = typeof body === 'string' ? JSON.parse(body) : body
    for (const event of parsed.batch) sentEvents.set(event.messageId, JSON.parse(JSON.stringify(event)))
  })
  send(analytics)
  await analytics.closeAndFlush({ timeout: 20_000 })
  assert.deepEqual(failures, [])
  await leat.sync()
})

after(() => leat?.stop())

function send(analytics) {
  analytics.track({
    userId: 'u1',
    anonymousId: 'a1',
    event: 'Order Completed',
    messageId: 'node-track-1',
    context,
    timestamp: new Date('2026-02-28T23:59:59.987Z'),
    properties: {
      orderId: 'O-1',
      total: 14.99,
      quantity: 3,
      bigNumber: 9007199254740991,
      negative: -7,
      isGift: false,
      coupon: null,
      empty: '',
      unicode: 'Zürich 日本語 🚀',
      quote: 'it\'s "x", a\\b\n\tc',
      shippedAt: '2026-02-28T10:00:00+02:00',
      birthday: '1990-05-01',
      zip: '02139',
      tags: ['a', 'b', 3, null, { deep: true }],
      products: [{ sku: 'x', price: 2 }],
      address: { street: '6th Street', geo: { latNorth: 47.37, 'load time (ms)': 12 } },
      id: 7,
      event: 'birthday',
      order: 'A',
      '2faCode': '1',
      HTTPServerError: true,
      none: {},
    },
  })
  analytics.track({
    userId: 'u1',
    event: '101 account update',
    messageId: 'node-track-2',
    properties: { plan: 'Pro' },
  })
  analytics.identify({
    userId: 'u1',
    messageId: 'node-identify-1',
    context,
    traits: {
      email: 'ann@example.com',
      firstName: 'Ann',
      age: 41,
      vip: true,
      address: { city: 'Zürich' },
      createdAt: '2024-01-01',
    },
  })
  analytics.page({
    userId: 'u1',
    category: 'Docs',
    name: 'Home',
    messageId: 'node-page-1',
    properties: {
      path: '/home',
      referrer: 'https://r.example/',
      search: '?q=1',
      title: 'Home',
      url: 'https://shop.example/home',
    },
  })
  analytics.screen({ anonymousId: 'a9', name: 'Cart', messageId: 'node-screen-1', properties: { items: 2 } })
  analytics.group({
    userId: 'u1',
    groupId: 'g1',
    messageId: 'node-group-1',
    traits: { name: 'Initech', employees: 329, plan: 'enterprise' },
  })
  analytics.alias({ userId: 'u1', previousId: 'a1', messageId: 'node-alias-1' })
}

// Columns of a call: the standard ones, and `own` for the rest; `timestamps` are leaves that hold a time.
async function check(table, messageId, own, { timestamps = [], extra = {} } = {}) {
  const rows = (await leat.rows(table)).filter((row) => row.id === messageId)
  assert.equal(rows.length, 1, `${table} has ${rows.length} rows of ${messageId}`)
  const event = sentEvents.get(messageId)
  assert.ok(event, `${messageId} was sent`)
  assertCorrected(rows[0])
  return compareRow(event, rows[0], {
    columns: { ...standard, ...own },
    timestamps: new Set(['timestamp', ...timestamps]),
    extra: { ...service, ...extra },
  })
}

const orderColumns = {
  event: 'event_text',
  'properties.orderId': 'order_id',
  'properties.total': 'total',
  'properties.quantity': 'quantity',
  'properties.bigNumber': 'big_number',
  'properties.negative': 'negative',
  'properties.isGift': 'is_gift',
  'properties.empty': 'empty',
  'properties.unicode': 'unicode',
  'properties.quote': 'quote',
  'properties.shippedAt': 'shipped_at',
  'properties.birthday': 'birthday',
  'properties.zip': 'zip',
  'properties.tags': 'tags',
  'properties.products': 'products',
  'properties.address.street': 'address_street',
  'properties.address.geo.latNorth': 'address_geo_lat_north',
  'properties.address.geo.load time (ms)': 'address_geo_load_time_ms',
  'properties.id': '_id',
  'properties.event': '_event',
  'properties.order': '_order',
  'properties.2faCode': '_2fa_code',
  'properties.HTTPServerError': 'httpserver_error',
}

test('track: every property is in the table of the event', async () => {
  const compared = await check('order_completed', 'node-track-1', orderColumns, {
    timestamps: ['properties.shippedAt', 'properties.birthday'],
    extra: { event: 'order_completed' },
  })
  assert.ok(compared >= 38, `${compared} leaves compared`)
})

test('track: `tracks` has the common columns and no property', async () => {
  const [row] = (await leat.rows('tracks')).filter(({ id }) => id === 'node-track-1')
  assert.equal(row.event, 'order_completed')
  assert.equal(row.event_text, 'Order Completed')
  assert.equal(row.context_page_title, context.page.title)
  assert.equal(row.user_id, 'u1')
  for (const column of ['order_id', 'total', 'tags']) assert.ok(!(column in row), column)
})

test('track: an event that begins with a digit', () =>
  check(
    '_101_account_update',
    'node-track-2',
    { event: 'event_text', 'properties.plan': 'plan' },
    { extra: { event: '_101_account_update' } },
  ))

test('identify: every trait is in `identifies`', () =>
  check(
    'identifies',
    'node-identify-1',
    {
      'traits.email': 'email',
      'traits.firstName': 'first_name',
      'traits.age': 'age',
      'traits.vip': 'vip',
      'traits.address.city': 'address_city',
      'traits.createdAt': 'created_at',
    },
    { timestamps: ['traits.createdAt'] },
  ))

test('page: properties, name and category are in `pages`', () =>
  check('pages', 'node-page-1', {
    name: 'name',
    category: 'category',
    'properties.category': 'category',
    'properties.name': 'name',
    'properties.path': 'path',
    'properties.referrer': 'referrer',
    'properties.search': 'search',
    'properties.title': 'title',
    'properties.url': 'url',
  }))

test('screen: properties and name are in `screens`', () =>
  check('screens', 'node-screen-1', { name: 'name', 'properties.items': 'items', 'properties.name': 'name' }))

test('group: traits are in `groups`', () =>
  check('groups', 'node-group-1', {
    groupId: 'group_id',
    'traits.name': 'name',
    'traits.employees': 'employees',
    'traits.plan': 'plan',
  }))

test('alias: both ids are in `aliases`', () =>
  check('aliases', 'node-alias-1', { previousId: 'previous_id' }))

test('nothing was rescued and the books balance', async () => {
  const status = await leat.status()
  assert.equal(status.balanced, true, JSON.stringify(status))
  const rescued = await leat.rows('leat_rescue', '1').catch((error) => {
    assert.equal(error.code, '42P01') // not made before it is needed
    return []
  })
  assert.deepEqual(rescued, [])
})
