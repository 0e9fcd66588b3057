// What a JDBC driver does with a warehouse: runs on pgjdbc and on Amazon's redshift-jdbc42 alike.
//
//   java -cp DRIVER.jar JdbcClient.java URL USER [NAME...]     password on standard input
//
// Prints a line for each check: "ok NAME" or "failed NAME: why". Ends with 0 whatever they said.

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TimeZone;

public final class JdbcClient {
  private interface Check {
    void run() throws Exception;
  }

  private final String url;
  private final Properties properties = new Properties();
  private final boolean redshift;
  private final String schema;
  private Connection connection;

  private JdbcClient(String url, String user, String password) {
    this.url = url;
    redshift = url.startsWith("jdbc:redshift:");
    schema = redshift ? "jdbc_redshift" : "jdbc_postgres";
    properties.setProperty("user", user);
    properties.setProperty("password", password);
    properties.setProperty("socketTimeout", "60");
    if (redshift) {
      properties.setProperty("ssl", "false");
    } else {
      properties.setProperty("sslmode", "disable");
    }
  }

  public static void main(String[] arguments) throws Exception {
    String password = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).trim();
    JdbcClient client = new JdbcClient(arguments[0], arguments[1], password);
    Set<String> wanted = Set.of(Arrays.copyOfRange(arguments, 2, arguments.length));
    for (Map.Entry<String, Check> each : client.checks().entrySet()) {
      if (!wanted.isEmpty() && !wanted.contains(each.getKey())) {
        continue;
      }
      System.out.println(outcome(each.getKey(), each.getValue(), client));
      System.out.flush();
    }
    if (client.connection != null) {
      client.connection.close();
    }
  }

  private static String outcome(String name, Check check, JdbcClient client) {
    try {
      client.prepare();
      check.run();
      return "ok " + name;
    } catch (Throwable error) {
      return "failed " + name + ": " + String.valueOf(error).replaceAll("\\s+", " ");
    }
  }

  // A check that broke the connection, or left it in a transaction, must not break the next.
  private void prepare() throws SQLException {
    if (connection != null && !connection.isClosed()) {
      if (!connection.getAutoCommit()) {
        connection.rollback();
        connection.setAutoCommit(true);
      }
      return;
    }
    connection = DriverManager.getConnection(url, properties);
    execute("create schema if not exists " + schema);
  }

  private Map<String, Check> checks() {
    Map<String, Check> all = new LinkedHashMap<>();
    all.put("select", this::select);
    all.put("parameters", this::parameters);
    all.put("prepared_again_and_again", this::preparedAgainAndAgain);
    all.put("batch", this::batch);
    all.put("fetch_size", this::fetchSize);
    all.put("fetch_size_binary", this::fetchSizeBinary);
    all.put("moments", this::moments);
    all.put("batch_in_transaction", this::batchInTransaction);
    all.put("altered_table", this::alteredTable);
    all.put("savepoint", this::savepoint);
    all.put("transactions", this::transactions);
    all.put("errors", this::errors);
    all.put("cancel", this::cancel);
    all.put("query_timeout", this::queryTimeout);
    all.put("is_valid", this::isValid);
    all.put("long_text", this::longText);
    all.put("result_metadata", this::resultMetadata);
    all.put("metadata_tables", this::metadataTables);
    all.put("metadata_columns", this::metadataColumns);
    all.put("metadata_keys", this::metadataKeys);
    all.put("metadata_schemas", this::metadataSchemas);
    all.put("metadata_types", this::metadataTypes);
    all.put("metadata_privileges", this::metadataPrivileges);
    all.put("metadata_functions", this::metadataFunctions);
    all.put("metadata_rest", this::metadataRest);
    return all;
  }

  private void select() throws SQLException {
    same("[[1, x, null, true, 1.50]]",
        rows("select 1, 'x', null::int, true, 1.5::numeric(4,2)").toString());
  }

  private void parameters() throws SQLException {
    try (PreparedStatement asked = connection.prepareStatement(
             "select ?::bigint, ?::varchar(20), ?::timestamp, ?::numeric(10,2), ?::float8")) {
      asked.setLong(1, 1L << 40);
      asked.setString(2, "O'Hara \u00e9");
      asked.setTimestamp(3, Timestamp.valueOf("2026-11-20 14:03:05.123456"));
      asked.setBigDecimal(4, new BigDecimal("12.34"));
      asked.setDouble(5, 0.1);
      try (ResultSet found = asked.executeQuery()) {
        found.next();
        same(1L << 40, found.getLong(1));
        same("O'Hara \u00e9", found.getString(2));
        same(Timestamp.valueOf("2026-11-20 14:03:05.123456"), found.getTimestamp(3));
        same(new BigDecimal("12.34"), found.getBigDecimal(4));
        same(0.1, found.getDouble(5));
      }
    }
  }

  // From the fifth time on pgjdbc keeps the statement on the server and asks for binary values.
  private void preparedAgainAndAgain() throws SQLException {
    try (PreparedStatement asked = connection.prepareStatement(
             "select n::int, n::bigint * 1000000, n / 4.0::float8, '2026-01-01'::date + n::int,"
                 + " n::numeric(12,3) from generate_series(1, 3) as g(n) where n >= ? order by 1")) {
      for (int i = 0; i < 10; ++i) {
        asked.setInt(1, 2);
        try (ResultSet found = asked.executeQuery()) {
          found.next();
          same(2, found.getInt(1));
          same(2_000_000L, found.getLong(2));
          same(0.5, found.getDouble(3));
          same("2026-01-03", found.getDate(4).toString());
          same(new BigDecimal("2.000"), found.getBigDecimal(5));
        }
      }
    }
  }

  private void batch() throws SQLException {
    execute("drop table if exists " + schema + ".batch");
    execute("create table " + schema + ".batch (a int, b varchar(20))");
    try (PreparedStatement insert =
             connection.prepareStatement("insert into " + schema + ".batch values (?, ?)")) {
      for (int i = 0; i < 300; ++i) {
        insert.setInt(1, i);
        insert.setString(2, "row " + i);
        insert.addBatch();
      }
      same(300, insert.executeBatch().length);
    }
    same("[[300, 44850]]", rows("select count(*), sum(a) from " + schema + ".batch").toString());
  }

  private void fetchSize() throws SQLException {
    connection.setAutoCommit(false);
    try (Statement asked = connection.createStatement()) {
      asked.setFetchSize(100);
      long sum = 0;
      try (ResultSet found = asked.executeQuery("select n from generate_series(1, 5000) as g(n)")) {
        while (found.next()) {
          sum += found.getLong(1);
        }
      }
      same(12502500L, sum);
    }
    connection.commit();
  }

  // Portals of binary rows, read in part while other statements run between: the rows are those
  // that come as text at once.
  private void fetchSizeBinary() throws SQLException {
    execute("drop table if exists " + schema + ".wide");
    execute("create table " + schema + ".wide (s smallint, i int, b bigint, n numeric(38,10),"
        + " r real, d float8, t boolean, c char(8), v varchar(40), da date, ti time, ts timestamp,"
        + " tz timestamptz, vb varbyte(20), su super)");
    execute("insert into " + schema + ".wide select n, n, n * 1000000000, n + 0.5, n + 0.5,"
        + " n / 8.0::float8, n % 2 = 0, 'c' || n, 'v\u00e9' || n, '2024-01-01'::date + n::int,"
        + " '10:11:12', '2024-01-01'::timestamp + n * interval '1 hour',"
        + " '2024-01-01 00:00:00+00', 'abc'::varbyte, json_parse('{\"n\":1}')"
        + " from generate_series(1, 500) as g(n)");
    execute("insert into " + schema + ".wide (s) values (null)");
    String query = "select * from " + schema + ".wide where i is null or i <= ? order by i";
    List<List<Object>> all = new ArrayList<>();
    try (Connection plain = connect("binaryTransfer", "false");
         PreparedStatement asked = plain.prepareStatement(query)) {
      asked.setInt(1, 1000);
      try (ResultSet found = asked.executeQuery()) {
        readRows(found, all);
      }
    }
    same(501, all.size());
    for (int size : new int[] {1, 7, 100, 501, 5000}) {
      try (Connection binary = connect("prepareThreshold", redshift ? "1" : "-1");
           PreparedStatement asked = binary.prepareStatement(query);
           Statement between = binary.createStatement()) {
        binary.setAutoCommit(false);
        asked.setFetchSize(size);
        asked.setInt(1, 1000);
        for (int round = 0; round < 2; ++round) {
          List<List<Object>> some = new ArrayList<>();
          try (ResultSet found = asked.executeQuery()) {
            found.next();
            some.add(readRow(found));
            try (ResultSet other = between.executeQuery("select 42")) {
              other.next();
              same(42, other.getInt(1));
            }
            between.executeUpdate("update " + schema + ".wide set v = 'other' where i = 3");
            readRows(found, some);
          }
          same(all.size(), some.size());
          for (int i = 0; i < all.size(); ++i) {
            same(all.get(i), some.get(i));
          }
          binary.rollback();
        }
      }
    }
  }

  // What a JVM west of Greenwich writes is what it reads, in columns with a zone and without.
  private void moments() throws SQLException {
    execute("drop table if exists " + schema + ".moments");
    execute("create table " + schema + ".moments (da date, ts timestamp, tz timestamptz)");
    TimeZone before = TimeZone.getDefault();
    TimeZone.setDefault(TimeZone.getTimeZone("America/New_York"));
    try (Connection away = connect("ApplicationName", "away");
         Statement asked = away.createStatement()) {
      asked.execute("set timezone to 'America/New_York'");
      Timestamp moment = Timestamp.valueOf("2024-05-06 07:08:09.123456");
      try (PreparedStatement insert =
               away.prepareStatement("insert into " + schema + ".moments values (?, ?, ?)")) {
        insert.setDate(1, Date.valueOf("2024-05-06"));
        insert.setTimestamp(2, moment);
        insert.setTimestamp(3, moment);
        insert.addBatch();
        insert.setObject(1, LocalDate.of(2024, 5, 6));
        insert.setObject(2, moment.toLocalDateTime());
        insert.setObject(3, moment.toLocalDateTime().atOffset(ZoneOffset.ofHours(-4)));
        insert.addBatch();
        insert.setString(1, "2024-05-06 -04");
        insert.setString(2, "2024-05-06 07:08:09.123456-04");
        insert.setObject(3, "2024-05-06 07:08:09.123456", Types.OTHER);
        if (redshift) {
          insert.addBatch();
        }
        insert.executeBatch();
      }
      try (ResultSet found = asked.executeQuery("select da, ts, tz, da::varchar, ts::varchar,"
               + " tz::varchar from " + schema + ".moments")) {
        for (int i = 0; i < (redshift ? 3 : 2); ++i) {
          require(found.next(), "there are rows");
          same(Date.valueOf("2024-05-06"), found.getDate(1));
          same(moment, found.getTimestamp(2));
          same(moment, found.getTimestamp(3));
          same("2024-05-06", found.getString(4));
          same("2024-05-06 07:08:09.123456", found.getString(5));
          same("2024-05-06 07:08:09.123456-04", found.getString(6));
        }
      }
      try (PreparedStatement count = away.prepareStatement("select count(*) from " + schema
               + ".moments where da = ? and ts = ? and tz = ?")) {
        count.setDate(1, Date.valueOf("2024-05-06"));
        count.setTimestamp(2, moment);
        count.setTimestamp(3, moment);
        try (ResultSet found = count.executeQuery()) {
          found.next();
          same(redshift ? 3 : 2, found.getInt(1));
        }
      }
    } finally {
      TimeZone.setDefault(before);
    }
  }

  private void batchInTransaction() throws SQLException {
    execute("drop table if exists " + schema + ".many");
    execute("create table " + schema + ".many (a int, b varchar(20), t timestamp, d date)");
    connection.setAutoCommit(false);
    try (PreparedStatement insert =
             connection.prepareStatement("insert into " + schema + ".many values (?, ?, ?, ?)")) {
      for (int i = 0; i < 2500; ++i) {
        insert.setInt(1, i);
        insert.setString(2, i % 3 == 0 ? null : "row " + i);
        insert.setTimestamp(3, i % 5 == 0 ? null : new Timestamp(1_700_000_000_000L + i));
        insert.setDate(4, Date.valueOf("2024-05-06"));
        insert.addBatch();
      }
      same(2500, insert.executeBatch().length);
    }
    connection.commit();
    same("[[2500, 3123750, 1666, 2000]]",
        rows("select count(*), sum(a), count(b), count(t) from " + schema + ".many").toString());
  }

  // A driver that keeps its statements prepares them again when their columns have changed.
  private void alteredTable() throws SQLException {
    execute("drop table if exists " + schema + ".altered");
    execute("create table " + schema + ".altered (a int)");
    execute("insert into " + schema + ".altered values (7)");
    try (PreparedStatement asked =
             connection.prepareStatement("select * from " + schema + ".altered where 1 = ?")) {
      asked.setInt(1, 1);
      for (int i = 0; i < 7; ++i) {
        asked.executeQuery().close();
      }
      execute("drop table " + schema + ".altered");
      execute("create table " + schema + ".altered (a varchar(9), b int)");
      execute("insert into " + schema + ".altered values ('seven', 8)");
      try (ResultSet found = asked.executeQuery()) {
        found.next();
        same("seven", found.getString("a"));
        same(8, found.getInt("b"));
      }
    }
  }

  private void savepoint() throws SQLException {
    connection.setAutoCommit(false);
    try {
      connection.setSavepoint("s");
    } catch (SQLException error) {
      same("0A000", error.getSQLState());
      return;
    }
    throw new IllegalStateException("there is a savepoint");
  }

  private void transactions() throws SQLException {
    execute("drop table if exists " + schema + ".tx");
    execute("create table " + schema + ".tx (a int)");
    connection.setAutoCommit(false);
    execute("insert into " + schema + ".tx values (1)");
    connection.rollback();
    execute("insert into " + schema + ".tx values (2)");
    connection.commit();
    connection.setAutoCommit(true);
    same("[[2]]", rows("select a from " + schema + ".tx").toString());
  }

  private void errors() throws SQLException {
    same("42P01", stateOf("select * from nowhere"));
    same("42601", stateOf("selec 1"));
    same("[[1]]", rows("select 1").toString());
  }

  private void cancel() throws Exception {
    try (Statement asked = connection.createStatement()) {
      Thread later = new Thread(() -> {
        try {
          for (int i = 0; i < 50; ++i) {
            Thread.sleep(100);
            asked.cancel();
          }
        } catch (SQLException | InterruptedException done) {
          // The statement has ended.
        }
      });
      later.setDaemon(true);
      later.start();
      try {
        asked.executeQuery(slowQuery());
        throw new IllegalStateException("it was not cancelled");
      } catch (SQLException error) {
        same("57014", error.getSQLState());
      } finally {
        later.interrupt();
        later.join();
      }
    }
    // A cancel that came late may hit what follows.
    for (int i = 0; i < 5; ++i) {
      try {
        same("[[1]]", rows("select 1").toString());
        return;
      } catch (SQLException error) {
        same("57014", error.getSQLState());
      }
    }
  }

  private void queryTimeout() throws SQLException {
    try (Statement asked = connection.createStatement()) {
      asked.setQueryTimeout(1);
      try {
        asked.executeQuery(slowQuery());
        throw new IllegalStateException("it was not ended");
      } catch (SQLException error) {
        same("57014", error.getSQLState());
      }
    }
  }

  private void isValid() throws SQLException {
    same(true, connection.isValid(5));
    same("public", connection.getSchema());
  }

  private void longText() throws SQLException {
    try (ResultSet found =
             connection.createStatement().executeQuery("select repeat('x', 60000)")) {
      found.next();
      same(60000, found.getString(1).length());
    }
  }

  private void resultMetadata() throws SQLException {
    makeShop();
    try (Statement asked = connection.createStatement();
         ResultSet found = asked.executeQuery("select id, name, price from " + schema + ".items")) {
      same("id", found.getMetaData().getColumnLabel(1));
      same(Types.BIGINT, found.getMetaData().getColumnType(1));
      same(20, found.getMetaData().getPrecision(2));
      same(8, found.getMetaData().getPrecision(3));
      same(2, found.getMetaData().getScale(3));
    }
  }

  private void metadataTables() throws SQLException {
    makeShop();
    DatabaseMetaData data = connection.getMetaData();
    List<String> found = new ArrayList<>();
    try (ResultSet tables = data.getTables(null, schema, "%", new String[] {"TABLE", "VIEW"})) {
      while (tables.next()) {
        found.add(tables.getString("TABLE_NAME") + " " + tables.getString("TABLE_TYPE"));
      }
    }
    same(true, found.contains("items TABLE"));
    same(true, found.contains("names VIEW"));
    execute("create temp table if not exists passing (a int)");
    try (ResultSet tables = data.getTables(null, null, "passing", null)) {
      require(tables.next(), "there is a temporary table");
      same("TEMPORARY TABLE", tables.getString("TABLE_TYPE"));
    }
    try (ResultSet tables =
             data.getTables(null, "%", "passing", new String[] {"TEMPORARY TABLE"})) {
      require(tables.next(), "there is a temporary table of that type");
    }
  }

  private void metadataColumns() throws SQLException {
    makeShop();
    List<String> found = new ArrayList<>();
    try (ResultSet columns = connection.getMetaData().getColumns(null, schema, "items", "%")) {
      while (columns.next()) {
        found.add(String.join(" ", columns.getString("COLUMN_NAME"),
            columns.getString("TYPE_NAME"), columns.getString("COLUMN_SIZE"),
            columns.getString("IS_NULLABLE")));
      }
    }
    same("[id int8 19 NO, name varchar 20 YES, price numeric 8 YES]", found.toString());
    // Amazon's driver knows one kind of identity columns only; pgjdbc knows none of them.
    execute("create table if not exists " + schema + ".numbered (always int identity(1,1),"
        + " otherwise int generated by default as identity(1,1), never int)");
    found.clear();
    try (ResultSet columns = connection.getMetaData().getColumns(null, schema, "numbered", "%")) {
      while (columns.next()) {
        found.add(columns.getString("IS_AUTOINCREMENT"));
      }
    }
    same(redshift ? "[NO, YES, NO]" : "[NO, NO, NO]", found.toString());
  }

  private void metadataKeys() throws SQLException {
    makeShop();
    DatabaseMetaData data = connection.getMetaData();
    try (ResultSet keys = data.getPrimaryKeys(null, schema, "items")) {
      require(keys.next(), "there is no primary key");
      same("id", keys.getString("COLUMN_NAME"));
    }
    try (ResultSet keys = data.getImportedKeys(null, schema, "sales")) {
      require(keys.next(), "there is no imported key");
      same("items", keys.getString("PKTABLE_NAME"));
      same("item_id", keys.getString("FKCOLUMN_NAME"));
    }
    try (ResultSet keys = data.getExportedKeys(null, schema, "items")) {
      require(keys.next(), "there is no exported key");
      same("sales", keys.getString("FKTABLE_NAME"));
    }
    try (ResultSet indexes = data.getIndexInfo(null, schema, "items", false, true)) {
      indexes.next();
    }
  }

  private void metadataSchemas() throws SQLException {
    List<String> found = new ArrayList<>();
    try (ResultSet schemas = connection.getMetaData().getSchemas()) {
      while (schemas.next()) {
        found.add(schemas.getString("TABLE_SCHEM"));
      }
    }
    same(true, found.contains(schema) && found.contains("public"));
    try (ResultSet catalogs = connection.getMetaData().getCatalogs()) {
      same(true, catalogs.next());
    }
    try (ResultSet types = connection.getMetaData().getTableTypes()) {
      same(true, types.next());
    }
  }

  private void metadataTypes() throws SQLException {
    List<String> found = new ArrayList<>();
    try (ResultSet types = connection.getMetaData().getTypeInfo()) {
      while (types.next()) {
        found.add(types.getString("TYPE_NAME"));
      }
    }
    same(true, found.containsAll(List.of("int4", "varchar", "timestamp")));
  }

  private void metadataPrivileges() throws SQLException {
    makeShop();
    execute("grant select on " + schema + ".items to public");
    List<String> found = new ArrayList<>();
    try (ResultSet rights = connection.getMetaData().getTablePrivileges(null, schema, "items")) {
      while (rights.next()) {
        found.add(rights.getString("GRANTEE") + " " + rights.getString("PRIVILEGE"));
      }
    }
    same(true, found.stream().anyMatch(each -> each.toUpperCase().equals("PUBLIC SELECT")));
  }

  private void metadataFunctions() throws SQLException {
    try (ResultSet functions = connection.getMetaData().getFunctions(null, "%", "%")) {
      functions.next();
    }
    try (ResultSet procedures = connection.getMetaData().getProcedures(null, "%", "%")) {
      procedures.next();
    }
    execute("create or replace function " + schema + ".twice(int, varchar) returns bigint"
        + " immutable as 'select 2::bigint' language sql");
    List<String> found = new ArrayList<>();
    DatabaseMetaData data = connection.getMetaData();
    try (ResultSet columns = data.getFunctionColumns(null, schema, "twice", "%")) {
      while (columns.next()) {
        found.add(columns.getString("TYPE_NAME"));
      }
    }
    try (ResultSet columns = data.getProcedureColumns(null, schema, "twice", "%")) {
      while (columns.next()) {
        found.add(columns.getString("TYPE_NAME"));
      }
    }
    // Amazon's driver tells of named parameters only, which functions in SQL have not, and the result.
    same(redshift ? "[bigint, bigint]" : "[int8, int4, varchar, int8, int4, varchar]", found.toString());
  }

  private void metadataRest() throws SQLException {
    makeShop();
    DatabaseMetaData data = connection.getMetaData();
    try (ResultSet found = data.getBestRowIdentifier(null, schema, "items", 0, true)) {
      require(found.next(), "there is a row identifier");
      same("id", found.getString("COLUMN_NAME"));
    }
    try (ResultSet found = data.getCrossReference(null, schema, "items", null, schema, "sales")) {
      require(found.next(), "there is a cross reference");
      same("item_id", found.getString("FKCOLUMN_NAME"));
    }
    try (ResultSet rights = data.getColumnPrivileges(null, schema, "items", "name")) {
      require(rights.next(), "there is a right on the column");
    }
    data.getVersionColumns(null, schema, "items").close();
    data.getUDTs(null, schema, "%", null).close();
    data.getClientInfoProperties().close();
    try (PreparedStatement asked = connection.prepareStatement("select id, name from " + schema
             + ".items where id = ? and name = ? and price between ? and 2")) {
      same("int8", asked.getParameterMetaData().getParameterTypeName(1));
      same("varchar", asked.getParameterMetaData().getParameterTypeName(2));
      same("numeric", asked.getParameterMetaData().getParameterTypeName(3));
      same("name", asked.getMetaData().getColumnName(2));
    }
  }

  private void makeShop() throws SQLException {
    execute("create table if not exists " + schema
        + ".items (id bigint not null primary key, name varchar(20), price numeric(8,2))");
    execute("create table if not exists " + schema + ".sales (id bigint, item_id bigint"
        + " references " + schema + ".items (id))");
    execute("create or replace view " + schema + ".names as select name from " + schema + ".items");
  }

  private static String slowQuery() {
    return "select count(*) from generate_series(1, 100000) a(x), generate_series(1, 100000) b(y),"
        + " generate_series(1, 1000) c(z) where (x * y * z) % 7 = 3";
  }

  private Connection connect(String property, String value) throws SQLException {
    Properties own = new Properties();
    own.putAll(properties);
    own.setProperty(property, value);
    return DriverManager.getConnection(url, own);
  }

  private static void readRows(ResultSet found, List<List<Object>> into) throws SQLException {
    while (found.next()) {
      into.add(readRow(found));
    }
  }

  // Values as objects; drivers write the texts of binary values in their own way.
  private static List<Object> readRow(ResultSet found) throws SQLException {
    List<Object> row = new ArrayList<>();
    for (int i = 1; i <= found.getMetaData().getColumnCount(); ++i) {
      Object value = found.getObject(i);
      row.add(value instanceof byte[] bytes ? Arrays.toString(bytes) : String.valueOf(value));
    }
    return row;
  }

  private String stateOf(String sql) {
    try {
      rows(sql);
    } catch (SQLException error) {
      return error.getSQLState();
    }
    return "";
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private List<List<String>> rows(String sql) throws SQLException {
    List<List<String>> all = new ArrayList<>();
    try (Statement asked = connection.createStatement(); ResultSet found = asked.executeQuery(sql)) {
      int columns = found.getMetaData().getColumnCount();
      while (found.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 1; i <= columns; ++i) {
          Object value = found.getObject(i);
          row.add(value == null ? "null" : value.toString());
        }
        all.add(row);
      }
    }
    return all;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }

  private static void same(Object wanted, Object found) {
    if (!wanted.equals(found)) {
      throw new IllegalStateException("wanted " + wanted + ", found " + found);
    }
  }
}
