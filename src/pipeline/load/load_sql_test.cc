#include "pipeline/load/load_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::load {
namespace {

StagedTable tracks() {
  return StagedTable{.schema = "web",
                     .name = "tracks",
                     .role = TableRole::kPrimary,
                     .columns = {{"event", "varchar(512)"},
                                 {"received_at", "timestamp"},
                                 {"id", "varchar(512)"},
                                 {"context_ip", "varchar(512)", true},
                                 {"uuid_ts", "timestamp"}},
                     .manifest_uri = "s3://leat/staging/web/s-1/tracks.manifest",
                     .rows = 3};
}

TEST(LoadSql, MakesTablesWithKeysAndTheOrderOfColumns) {
  EXPECT_EQ(
      create_table_sql(tracks()),
      R"(CREATE TABLE IF NOT EXISTS "web"."tracks" ("id" varchar(512) NOT NULL ENCODE zstd, "received_at" )"
      R"(timestamp, )"
      R"("uuid_ts" timestamp, "context_ip" varchar(512), "event" varchar(512)) )"
      R"(DISTKEY("id") SORTKEY("received_at"))");
}

TEST(LoadSql, AddsOneColumnPerStatement) {
  EXPECT_EQ(add_column_sql(tracks(), tracks().columns[3]),
            R"(ALTER TABLE "web"."tracks" ADD COLUMN "context_ip" varchar(512))");
}

TEST(LoadSql, CopiesByPositionIntoAStageOfTheSameColumns) {
  EXPECT_EQ(create_stage_sql(tracks(), 4),
            R"(CREATE TEMP TABLE "leat_stage_4" ("event" varchar(512), "received_at" timestamp, )"
            R"("id" varchar(512) NOT NULL, "context_ip" varchar(512), "uuid_ts" timestamp, )"
            R"("leat_batch" bigint, )"
            R"("leat_order" bigint) DISTKEY("id"))");
  EXPECT_EQ(
      copy_sql(tracks(), 4, role_sql("default")),
      R"(COPY "leat_stage_4" ("event", "received_at", "id", "context_ip", "uuid_ts", )"
      R"("leat_batch", "leat_order") )"
      R"(FROM 's3://leat/staging/web/s-1/tracks.manifest' IAM_ROLE default FORMAT AS PARQUET )"
      R"(MANIFEST)");
  EXPECT_THAT(copy_sql(tracks(), 0, role_sql("arn:aws:iam::1:role/r")),
              testing::HasSubstr(" IAM_ROLE 'arn:aws:iam::1:role/r' "));
}

TEST(LoadSql, CopiesWithKeysThatArePlainText) {
  EXPECT_EQ(keys_sql({"ASIA1", "s/e+c", ""}), "ACCESS_KEY_ID 'ASIA1' SECRET_ACCESS_KEY 's/e+c'");
  EXPECT_EQ(keys_sql({"ASIA1", "s/e+c", "to=ken"}),
            "ACCESS_KEY_ID 'ASIA1' SECRET_ACCESS_KEY 's/e+c' SESSION_TOKEN 'to=ken'");
  for (const char* secret : {"a'b", "a\\b", "a b", "a\nb", "a\xC3\xA9"}) {
    const auto refused = keys_sql({"ASIA1", secret, ""});
    ASSERT_FALSE(refused.has_value()) << secret;
    EXPECT_THAT(refused.error().message, testing::Not(testing::HasSubstr(secret)));
  }
}

TEST(LoadSql, StagesMergedTablesWithoutBatchAndOrder) {
  StagedTable users = tracks();
  users.name = "users";
  users.role = TableRole::kLatest;
  EXPECT_THAT(create_stage_sql(users, 0), testing::Not(testing::HasSubstr("leat_batch")));
  EXPECT_THAT(copy_sql(users, 0, role_sql("default")),
              testing::Not(testing::HasSubstr("leat_order")));
}

TEST(LoadSql, MergesUsersFromTheirStage) {
  StagedTable users{.schema = "web",
                    .name = "users",
                    .role = TableRole::kLatest,
                    .columns = {{"id", "varchar(512)"}, {"plan", "varchar(512)"}},
                    .manifest_uri = "s3://leat/u.manifest",
                    .rows = 1};
  EXPECT_EQ(
      update_latest_sql(users, 2),
      R"(UPDATE "web"."users" SET "plan" = CASE WHEN "users"."received_at" > k."received_at" )"
      R"(THEN coalesce("users"."plan", k."plan") ELSE coalesce(k."plan", "users"."plan") END )"
      R"(FROM "leat_stage_2" k WHERE "users"."id" = k."id")");
  EXPECT_EQ(
      insert_latest_sql(users, 2),
      R"(INSERT INTO "web"."users" ("id", "plan") SELECT k."id", k."plan" FROM "leat_stage_2" k )"
      R"(WHERE NOT EXISTS (SELECT 1 FROM "web"."users" t WHERE t."id" = k."id"))");
}

TEST(LoadSql, InsertsPlainlyWhenEveryRowGoesIn) {
  const StagedTable table = tracks();
  EXPECT_EQ(
      insert_sql({.table = &table}, {.stage_has_duplicates = false, .target_has_newer = false}),
      R"(INSERT INTO "web"."tracks" ("event", "received_at", "id", "context_ip", "uuid_ts") )"
      R"(SELECT s."event", s."received_at", s."id", s."context_ip", s."uuid_ts" FROM )"
      R"("leat_stage_0" s)");
}

TEST(LoadSql, InsertsTheNewestPerIdUnlessTheTargetIsNewer) {
  StagedTable table = tracks();
  const std::string sql = insert_sql({.table = &table, .index = 3}, {});
  EXPECT_THAT(sql, testing::HasSubstr(R"(FROM "leat_stage_3" s LEFT JOIN "leat_losers_3" l ON )"
                                      R"(l."leat_order" = s."leat_order" WHERE l."leat_order" IS )"
                                      R"(NULL AND NOT EXISTS (SELECT 1 FROM "web"."tracks" k)"));
  // An event may have many rescue rows, so that its order does not name one.
  table.role = TableRole::kRescue;
  const std::string rescue = insert_sql({.table = &table}, {});
  EXPECT_THAT(rescue, testing::HasSubstr(
                          R"(PARTITION BY "id" ORDER BY "received_at" DESC, "leat_order" DESC)"));
  EXPECT_THAT(rescue,
              testing::HasSubstr(
                  R"(WHERE s."leat_rank" = 1 AND NOT EXISTS (SELECT 1 FROM "web"."tracks" k)"));
}

TEST(LoadSql, RanksOnlyRowsWhoseIdRepeats) {
  const StagedTable table = tracks();
  EXPECT_EQ(
      create_losers_sql({.table = &table, .index = 2, .is_hashed = true}),
      R"(CREATE TEMP TABLE "leat_losers_2" AS SELECT r."leat_order" FROM (SELECT )"
      R"(s."leat_order", row_number() OVER (PARTITION BY s."id" ORDER BY s."received_at" DESC, )"
      R"(s."leat_order" DESC) AS "leat_rank" FROM "leat_stage_2" s WHERE s."uuid" IN (SELECT )"
      R"("uuid" FROM "leat_stage_2" GROUP BY "uuid" HAVING count(*) > 1)) r WHERE )"
      R"(r."leat_rank" > 1)");
  EXPECT_THAT(create_losers_sql({.table = &table}), testing::HasSubstr(R"(GROUP BY "id")"));
}

TEST(LoadSql, CountsAllTablesInOneStatement) {
  StagedTable made = tracks();
  made.is_new = true;
  StagedTable users = tracks();
  users.name = "users";
  users.role = TableRole::kLatest;
  const StagedTable table = tracks();
  const std::string sql = count_sql(std::vector<CountedTable>{{.table = &table, .index = 64},
                                                              {.table = &made, .index = 65},
                                                              {.table = &users, .index = 66}});
  EXPECT_THAT(sql, testing::StartsWith(R"(SELECT 64, b."leat_batch", b."rows", b."wins" - )"));
  EXPECT_THAT(sql, testing::HasSubstr(R"(FROM "web"."tracks" t WHERE t."id" IN )"
                                      R"((SELECT s."id" FROM "leat_stage_64" s))"));
  EXPECT_THAT(sql, testing::HasSubstr(R"( UNION ALL SELECT 65, b."leat_batch", b."rows", )"));
  EXPECT_THAT(sql, testing::HasSubstr(R"( UNION ALL SELECT 66, 0, count(*), )"));
}

TEST(LoadSql, LooksForKnownIdsByTheirHash) {
  const StagedTable table = tracks();
  EXPECT_EQ(
      overlap_sql(std::vector<CountedTable>{{.table = &table, .index = 3, .is_hashed = true}}),
      R"(SELECT 3, s."rows", s."ids", k."rows", k."first", k."last", k."untimed" FROM (SELECT )"
      R"(count(*) AS "rows", count(*) AS "ids" FROM "leat_stage_3") s, (SELECT )"
      R"(count(*) AS "rows", min("received_at") AS "first", max("received_at") AS "last", )"
      R"(count(*) - count("received_at") AS "untimed" FROM (SELECT t."received_at" FROM )"
      R"("web"."tracks" t WHERE t."uuid" IN (SELECT s."uuid" FROM "leat_stage_3" s) UNION ALL )"
      R"(SELECT t."received_at" FROM "web"."tracks" t WHERE t."uuid" IS NULL) r) k)");
  StagedTable rescue = tracks();
  rescue.role = TableRole::kRescue;
  EXPECT_THAT(overlap_sql(std::vector<CountedTable>{{.table = &rescue, .index = 3}}),
              testing::HasSubstr(R"(count(DISTINCT "id") AS "ids" FROM "leat_stage_3")"));
  EXPECT_EQ(sample_sql(std::vector<CountedTable>{{.table = &table, .index = 3}}),
            R"(SELECT 3, r."id", r."uuid" FROM (SELECT "id", "uuid" FROM "web"."tracks" LIMIT 32) )"
            R"(r)");
}

TEST(LoadSql, ReplacesOnlyWhereRowsMayBe) {
  const StagedTable table = tracks();
  EXPECT_EQ(delete_replaced_sql({.table = &table,
                                 .index = 1,
                                 .known_from = "2026-11-20 14:00:00",
                                 .known_until = "2026-11-20 15:00:00"}),
            R"(DELETE FROM "web"."tracks" USING "leat_stage_1" WHERE "tracks"."id" = )"
            R"("leat_stage_1"."id" AND "tracks"."received_at" BETWEEN '2026-11-20 14:00:00' AND )"
            R"('2026-11-20 15:00:00' AND ("tracks"."received_at" IS NULL OR )"
            R"("tracks"."received_at" <= "leat_stage_1"."received_at"))");
}

TEST(LoadSql, LooksAtTheListOfKnownRowsWhereThereIsOne) {
  const StagedTable table = tracks();
  const CountedTable listed{.table = &table, .index = 1, .is_hashed = true, .lists_known = true};
  EXPECT_THAT(create_known_sql(listed),
              testing::StartsWith(R"(CREATE TEMP TABLE "leat_known_1" AS SELECT s."leat_order", )"
                                  R"(s."leat_batch", s."id", s."received_at", k."known_at" FROM )"
                                  R"("leat_stage_1" s JOIN (SELECT r."id", coalesce(max()"));
  EXPECT_THAT(count_sql(std::vector{listed}),
              testing::HasSubstr(R"(FROM "leat_known_1" s LEFT JOIN "leat_losers_1" l ON )"));
  EXPECT_THAT(delete_replaced_sql(listed), testing::HasSubstr(R"(USING "leat_known_1" WHERE)"));
  EXPECT_THAT(insert_sql(listed, {.stage_has_duplicates = false}),
              testing::EndsWith(R"(WHERE NOT EXISTS (SELECT 1 FROM "leat_known_1" k WHERE )"
                                R"(k."leat_order" = s."leat_order" AND k."known_at" > )"
                                R"(s."received_at"))"));
  EXPECT_EQ(drop_lists_sql(listed, true), R"(DROP TABLE "leat_losers_1", "leat_known_1")");
  EXPECT_EQ(drop_lists_sql(listed, false), R"(DROP TABLE "leat_known_1")");
  EXPECT_EQ(drop_lists_sql({.table = &table, .index = 1}, true), R"(DROP TABLE "leat_losers_1")");
}

TEST(LoadSql, StagesSuperAsTextAndParsesItOnTheWay) {
  StagedTable table{.schema = "web",
                    .name = "users",
                    .role = TableRole::kLatest,
                    .columns = {{"id", "varchar(512)"}, {"x", "super", true}},
                    .manifest_uri = "",
                    .rows = 1};
  EXPECT_EQ(add_column_sql(table, table.columns[1]),
            R"(ALTER TABLE "web"."users" ADD COLUMN "x" super)");
  EXPECT_EQ(create_stage_sql(table, 0),
            R"(CREATE TEMP TABLE "leat_stage_0" ("id" varchar(512) NOT NULL, "x" varchar(65535)) )"
            R"(DISTKEY("id"))");
  EXPECT_EQ(insert_latest_sql(table, 0),
            R"(INSERT INTO "web"."users" ("id", "x") SELECT k."id", json_parse(k."x") FROM )"
            R"("leat_stage_0" k WHERE NOT EXISTS (SELECT 1 FROM "web"."users" t WHERE t."id" = )"
            R"(k."id"))");
  EXPECT_THAT(update_latest_sql(table, 0),
              testing::HasSubstr(R"(THEN coalesce("users"."x", json_parse(k."x")) ELSE )"
                                 R"(coalesce(json_parse(k."x"), "users"."x") END)"));
  table.role = TableRole::kPrimary;
  EXPECT_EQ(
      insert_sql({.table = &table}, {.stage_has_duplicates = false, .target_has_newer = false}),
      R"(INSERT INTO "web"."users" ("id", "x") SELECT s."id", json_parse(s."x") FROM )"
      R"("leat_stage_0" s)");
}

TEST(LoadSql, DropsAllStageTablesAtOnce) {
  EXPECT_EQ(drop_stages_sql(std::vector<std::size_t>{0, 2}, false),
            R"(DROP TABLE "leat_stage_0", "leat_stage_2")");
  EXPECT_EQ(drop_stages_sql({}, true), R"(DROP TABLE "leat_shared")");
  EXPECT_EQ(drop_stages_sql(std::vector<std::size_t>{3}, true),
            R"(DROP TABLE "leat_shared", "leat_stage_3")");
}

TEST(LoadSql, SmallTablesShareAStage) {
  const SharedStage shared{.columns = {{"leat_table", "bigint"},
                                       {"id", "varchar(512)"},
                                       {"uuid", "bigint"},
                                       {"leat_batch", "bigint"},
                                       {"leat_order", "bigint"},
                                       {"v1", "super"},
                                       {"v2", "varchar(64)"}},
                           .manifest_uri = "s3://b/m"};
  StagedTable table = tracks();
  table.name = "clicked";
  table.columns = {{"x", "super"}, {"id", "varchar(512)"}, {"y", "varchar(16)"}};
  table.shared_places = {5, 1, 6};
  EXPECT_EQ(create_shared_sql(shared),
            R"(CREATE TEMP TABLE "leat_shared" ("leat_table" bigint, "id" varchar(512) NOT NULL, )"
            R"("uuid" bigint, "leat_batch" bigint, "leat_order" bigint, "v1" varchar(65535), )"
            R"("v2" varchar(64)) DISTKEY("id"))");
  EXPECT_EQ(copy_shared_sql(shared, "IAM_ROLE default"),
            R"(COPY "leat_shared" FROM 's3://b/m' IAM_ROLE default FORMAT AS PARQUET MANIFEST)");
  EXPECT_EQ(insert_shared_sql(shared, table, 7),
            R"(INSERT INTO "web"."clicked" ("x", "id", "y") SELECT json_parse("v1"), "id", "v2" )"
            R"(FROM "leat_shared" WHERE "leat_table" = 7)");
  // In a stage JSON is text.
  EXPECT_EQ(
      fill_stage_sql(shared, table, 7),
      R"(INSERT INTO "leat_stage_7" ("x", "id", "y", "leat_batch", "leat_order") SELECT "v1", )"
      R"("id", "v2", "leat_batch", "leat_order" FROM "leat_shared" WHERE "leat_table" = 7)");
  const CountedTable counted[] = {{.table = &table, .index = 7}, {.table = &table, .index = 9}};
  EXPECT_EQ(overlap_shared_sql(counted),
            R"(SELECT r."leat_table", count(*) FROM (SELECT 7 AS "leat_table", t."uuid" FROM )"
            R"("web"."clicked" t UNION ALL SELECT 9 AS "leat_table", t."uuid" FROM )"
            R"("web"."clicked" t) r WHERE r."uuid" IS NULL OR r."uuid" IN )"
            R"((SELECT s."uuid" FROM "leat_shared" s) GROUP BY r."leat_table")");
}

TEST(LoadSql, QuotesHostileNames) {
  StagedTable table = tracks();
  table.name = "a\"; DROP TABLE x; --";
  EXPECT_THAT(create_table_sql(table), testing::HasSubstr(R"("web"."a""; DROP TABLE x; --")"));
}

TEST(LoadSql, WritesLedgerRows) {
  BatchBooks batch;
  batch.batch_id = "web/2026112014/j-0000-1-2";
  batch.source = "we'b";
  batch.shard = "j-0000";
  batch.first_offset = 1;
  batch.last_offset = 2;
  batch.hour = "2026112014";
  batch.events = {.received = 3, .loaded = 2, .deduplicated = 1};
  batch.table_rows = {{"tracks", 3}};
  batch.sync_id = "s";
  BatchBooks checkpoint;
  checkpoint.batch_id = "web/checkpoint/j-0001";
  checkpoint.source = "web";
  checkpoint.shard = "j-0001";
  const std::string sql = insert_ledger_sql("leat", {batch, checkpoint});
  EXPECT_THAT(sql, testing::StartsWith(R"(INSERT INTO "leat"."batches" ("batch_id", )"));
  EXPECT_THAT(
      sql,
      testing::HasSubstr(
          R"(('web/2026112014/j-0000-1-2', 'we''b', 'j-0000', 1, 2, '2026-11-20 14:00:00', 3, )"
          R"(2, 1, 0, 0, 0, )"
          R"('{"tracks":3}', 's', '1970-01-01 00:00:00'))"));
  EXPECT_THAT(sql, testing::HasSubstr(R"('j-0001', 0, 0, NULL, 0)"));
}

TEST(LoadSql, LocksTheLedgerByName) {
  EXPECT_EQ(lock_ledger_sql("leat"), R"(LOCK TABLE "leat"."batches")");
}

TEST(LoadSql, WritesTheManifestWithTheFilesLength) {
  EXPECT_EQ(manifest_json("s3://b/k", 42),
            R"({"entries":[{"url":"s3://b/k","mandatory":true,"meta":{"content_length":42}}]})");
}

TEST(LoadSql, KeepsTableRowsBelowTheColumnsLength) {
  std::map<std::string, std::int64_t> rows;
  std::int64_t total = 0;
  for (int i = 0; i < 5000; ++i) {
    rows["event_with_a_long_name_number_" + std::to_string(i)] = i;
    total += i;
  }
  const std::string json = table_rows_json(rows);
  EXPECT_LE(json.size(), 65'000U);
  EXPECT_THAT(json, testing::HasSubstr("number_4999\":4999"));
  EXPECT_THAT(json, testing::HasSubstr("\"*\":"));
  EXPECT_EQ(table_rows_json({{"b", 2}, {"a", 1}}), R"({"a":1,"b":2})");
  EXPECT_EQ(table_rows_json({}), "{}");
}

}  // namespace
}  // namespace leat::load
