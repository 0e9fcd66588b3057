// The console's page: shows GET /api/status every two seconds while visible, and asks for a sync.
// Texts go into the page as text nodes only, so nothing an event holds can become markup.
'use strict';

const refreshMs = 2000;
const element = (id) => document.getElementById(id);
const number = (value) => value === null || value === undefined ? '?' : value.toLocaleString('en-US');

function ago(text) {
  if (!text) return 'never';
  const seconds = Math.round((Date.now() - Date.parse(text)) / 1000);
  const size = Math.abs(seconds);
  const [count, unit] = size < 90 ? [size, 's'] : size < 5400 ? [Math.round(size / 60), 'min']
    : size < 172800 ? [Math.round(size / 3600), 'h'] : [Math.round(size / 86400), 'days'];
  return seconds >= 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
}

function cell(text, className, title) {
  const td = document.createElement('td');
  td.textContent = text;
  if (className) td.className = className;
  if (title) td.title = title;
  return td;
}

function fill(id, rows, columns, empty) {
  const body = element(id);
  if (rows.length === 0) {
    const row = document.createElement('tr');
    const only = cell(empty, 'empty');
    only.colSpan = columns;
    row.append(only);
    body.replaceChildren(row);
    return;
  }
  body.replaceChildren(...rows.map((cells) => {
    const row = document.createElement('tr');
    row.append(...cells);
    return row;
  }));
}

const balanceClass = (balanced) => balanced === null ? 'unknown' : balanced ? 'good' : 'bad';
const balanceWord = (balanced) => balanced === null ? 'unknown' : balanced ? 'balanced' : 'NOT balanced';

function sourceCells(source) {
  const sync = source.sync;
  const last = !sync ? '' : sync.last_error ? `failed ${sync.consecutive_failures}x: ${sync.last_error}`
    : sync.paused_by ? `paused ${sync.paused_since ? ago(sync.paused_since) : 'by configuration'}`
    : sync.running ? 'running' : ago(sync.last_success);
  return [
    cell(source.name, '', source.schema ? `schema ${source.schema}` : ''),
    ...[source.received, source.in_journal, source.waiting_for_sync, source.loaded, source.deduplicated,
      source.rescued, source.excluded, source.deleted, source.values_rescued]
      .map((value) => cell(number(value), 'number')),
    cell(balanceWord(source.balanced), balanceClass(source.balanced), source.verdict),
    cell(last, sync && sync.last_error ? 'bad' : ''),
    cell(sync && sync.next_run ? ago(sync.next_run) : sync && sync.running ? 'now' : 'when asked', 'faint'),
  ];
}

function batchCells(batch) {
  const events = batch.events;
  const tables = Object.entries(batch.table_rows).map(([table, rows]) => `${table} ${number(rows)}`).join(', ');
  return [
    cell(batch.batch_id, events.balanced ? '' : 'bad'),
    ...[events.received, events.loaded, events.deduplicated, events.rescued, events.excluded]
      .map((value) => cell(number(value), 'number')),
    cell(tables), cell(ago(batch.loaded_at), 'faint', batch.loaded_at),
  ];
}

function syncCells(entry) {
  const report = entry.report;
  const seconds = (Date.parse(report.finished_at) - Date.parse(report.started_at)) / 1000;
  const changes = [...report.tables_created.map((table) => `new table ${table}`),
    ...report.columns_added.map((column) => `new column ${column}`)].join(', ');
  const times = entry.times > 1 ? ` (${number(entry.times)} times)` : '';
  return [
    cell(ago(report.started_at), 'faint', report.started_at), cell(report.source),
    cell(seconds.toFixed(1), 'number'), cell(number(report.batches), 'number'),
    cell(number(report.events.received), 'number'),
    cell(entry.error ? entry.error + times : changes, entry.error ? 'bad' : ''),
  ];
}

function shardCells(shard) {
  const offsets = [shard.durable_offset, shard.archived_offset, shard.records_to_archive];
  return [
    cell(shard.shard), ...offsets.map((value) => cell(number(value), 'number')),
    cell(shard.health || 'ok', shard.health ? 'bad' : 'good'),
  ];
}

function note(text, className) {
  const p = document.createElement('p');
  p.className = className;
  p.textContent = text;
  return p;
}

function showConnection(connection) {
  const warehouse = connection.warehouse;
  element('connect-send').textContent = `curl ${connection.collect_url}/v1/track -u WRITE_KEY: `
    + `-H 'Content-Type: application/json' -d '{"userId":"u1","event":"Signed Up"}'`;
  element('connect-ask').textContent =
    `psql "host=${warehouse.host} port=${warehouse.port} dbname=${warehouse.database} user=${warehouse.user}"`;
  element('password-hint').textContent = connection.password_hint;
  element('token-hint').textContent = connection.token_hint;
}

function show(status) {
  element('version').textContent = status.version;
  element('updated').textContent = `up since ${ago(status.started_at).replace(' ago', '')}`;
  element('verdict').textContent = status.verdict;
  element('verdict').className = `verdict ${balanceClass(status.balanced)}`;
  const problems = status.problems.map(({part, message}) => note(`${part}: ${message}`, 'problem'));
  element('problems').replaceChildren(...problems);
  fill('sources', status.sources.map(sourceCells), 12, 'no source yet');
  fill('batches', status.batches.map(batchCells), 8, 'nothing loaded yet');
  fill('syncs', status.syncs.map(syncCells), 6, 'no sync has loaded anything yet');
  fill('journal', status.journal.map(shardCells), 5, 'no journal in this process');
  showConnection(status.connection);
}

async function refresh() {
  try {
    const response = await fetch('/api/status', {cache: 'no-store'});
    if (!response.ok) throw new Error(`the console answered ${response.status}`);
    show(await response.json());
  } catch (error) {
    element('updated').textContent = `cannot reach Leat: ${error.message}; trying again`;
  }
}

async function loop() {
  if (document.visibilityState === 'visible') await refresh();
  setTimeout(loop, refreshMs);
}

async function syncNow(token) {
  const button = element('sync');
  button.disabled = true;
  element('message').replaceChildren(note('syncing ...', 'message unknown'));
  try {
    const response = await fetch('/api/sync', {method: 'POST', headers: {'Leat-Token': token}});
    const answer = await response.json();
    if (response.status === 401) sessionStorage.removeItem('leat-token');
    if (!response.ok) throw new Error(answer.error.message);
    sessionStorage.setItem('leat-token', token);
    const events = answer.syncs.reduce((sum, report) => sum + report.events.received, 0);
    element('message').replaceChildren(note(`synced: ${number(events)} events`, 'message good'));
  } catch (error) {
    element('message').replaceChildren(note(`sync failed: ${error.message}`, 'message bad'));
  }
  button.disabled = false;
  await refresh();
}

element('sync').addEventListener('click', () => {
  const token = sessionStorage.getItem('leat-token');
  if (token) {
    syncNow(token);
  } else {
    element('token-dialog').showModal();
  }
});
element('token-dialog').addEventListener('close', () => {
  const token = element('token').value.trim();
  element('token').value = '';
  if (element('token-dialog').returnValue === 'ok' && token) syncNow(token);
});

loop();
