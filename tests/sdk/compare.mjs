// Compares an event as it was sent with the row that came of it, leaf by leaf.
//
// The tests say for every leaf of an event in which column it must be; a leaf without a word is a failure, and so is
// a column that no leaf explains. Nothing here knows how the program names things.
import assert from 'node:assert/strict'

// Members that never become columns, and those that the standard columns carry.
const envelope = new Set(['type', 'writeKey', 'integrations', '_metadata', 'version', 'channel'])

// Every leaf of a JSON value as [path, value]; arrays are leaves.
export function leaves(value, path = []) {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]))
  }
  return [[path.join('.'), value]]
}

// A value as the warehouse must show it.
function expected(value) {
  if (Array.isArray(value)) return JSON.stringify(value)
  if (typeof value === 'number' && Number.isInteger(value)) return String(value)
  return value
}

function shown(value) {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
    ? String(value)
    : value
}

// ISO text to the warehouse's form of a timestamp in UTC.
export function utc(text) {
  return new Date(text)
    .toISOString()
    .replace('T', ' ')
    .replace('Z', '')
    .replace(/\.?0+$/, '')
}

// Microseconds since the epoch of a warehouse timestamp.
function micros(text) {
  const [seconds, fraction = ''] = text.split('.')
  return BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'))
}

// The documented correction of the client's clock: timestamp = received - (sent - original).
export function assertCorrected(row) {
  const skew = micros(row.sent_at) - micros(row.original_timestamp)
  assert.equal(micros(row.timestamp), micros(row.received_at) - skew, 'timestamp is corrected')
}

// Checks `row` against `event`. `columns`: path of a leaf -> column name, or a function of the path for whole groups;
// `timestamps`: paths whose text is a time; `extra`: columns that no leaf explains -> expected value or predicate.
export function compareRow(event, row, { columns, timestamps = new Set(), extra = {} }) {
  const explained = new Set()
  let compared = 0
  for (const [path, value] of leaves(event)) {
    if (envelope.has(path.split('.')[0])) continue
    const column = typeof columns === 'function' ? columns(path) : columns[path]
    if (value === null) {
      if (column !== undefined && column in row) {
        assert.equal(row[column], null, path)
        explained.add(column)
      }
      continue
    }
    assert.notEqual(column, undefined, `no column is expected for ${path}`)
    assert.ok(column in row, `${path}: the table has no column ${column}`)
    const want = timestamps.has(path) ? utc(value) : expected(value)
    assert.equal(shown(row[column]), want, `${path} in ${column}`)
    explained.add(column)
    compared += 1
  }
  for (const [column, want] of Object.entries(extra)) {
    if (typeof want === 'function') assert.ok(want(row[column]), `${column}: ${row[column]}`)
    else assert.equal(shown(row[column]), want, column)
    explained.add(column)
  }
  for (const [column, value] of Object.entries(row)) {
    assert.ok(value === null || explained.has(column), `column ${column} = ${value} was never sent`)
  }
  return compared
}
