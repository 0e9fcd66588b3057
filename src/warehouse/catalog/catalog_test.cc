// What the catalog keeps: objects, rights, passwords; across reopening, kills and failing writes.
#include "warehouse/catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/random.h"
#include "warehouse/catalog/catalog_session.h"
#include "warehouse/catalog/password.h"
#include "warehouse/catalog/rights.h"
#include "warehouse/catalog/types.h"
#include "warehouse/catalog/view_binding.h"
#include "warehouse/engine/database.h"

namespace leat::catalog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leat-catalog-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file() const { return path_ + "/dev.duckdb"; }

 private:
  std::string path_;
};

/// An open catalog; `file` empty: in memory.
struct Opened {
  explicit Opened(const std::string& file = {}, const std::string& password = "Secret123") {
    auto opened = engine::Database::open({.path = file, .threads = 1});
    if (!opened) throw std::runtime_error(opened.error().message);
    database = std::move(*opened);
    connection = connect();
    SeededRandom random(7);
    auto made = Catalog::open(*connection, {.admin_password = password, .random = &random});
    if (!made) throw std::runtime_error(made.error().message);
    catalog = std::move(*made);
  }
  [[nodiscard]] std::unique_ptr<engine::Connection> connect() const {
    auto made = database->connect();
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
  }
  /// Runs `change` in a transaction of its own. False: it was not committed.
  bool commit(const std::function<bool(CatalogSession&)>& change) const {
    CatalogSession session(*catalog, *connection);
    if (!connection->begin()) return false;
    session.transaction_started();
    if (!change(session)) {
      static_cast<void>(connection->rollback());
      session.rolled_back();
      return false;
    }
    const auto committed = session.commit();
    return committed && *committed;
  }

  std::unique_ptr<engine::Database> database;
  std::unique_ptr<engine::Connection> connection;
  std::unique_ptr<Catalog> catalog;
};

Column column_of(std::int16_t number, std::string name, std::string_view type) {
  Column column;
  column.number = number;
  column.name = std::move(name);
  column.type = sql::parse_type_name(type);
  column.encoding = std::string(default_encoding(column.type, false, false));
  return column;
}

Relation table_of(Catalog& catalog, std::string name) {
  Relation relation;
  relation.oid = catalog.new_oid();
  relation.schema = kPublicOid;
  relation.schema_name = "public";
  relation.name = std::move(name);
  relation.owner = kFirstUserId;
  relation.columns = {column_of(1, "id", "bigint"), column_of(2, "name", "varchar(40)"),
                      column_of(3, "price", "numeric(7,2)")};
  return relation;
}

/// With names that the store's text must not be broken by.
Binding awkward_binding(Oid table) {
  return {.relations = {{.oid = table, .schema = "a b", .name = "\"R\" 7", .columns = {}},
                        {.oid = 8, .schema = "", .name = "9", .columns = {{1, "x\""}, {3, "4 F"}}}},
          .functions = {{.oid = 5, .schema = "", .name = "f'\\"}},
          .places = {{BoundPlaceKind::kAliased, 14, 1, table, 0},
                     {BoundPlaceKind::kOutput, 0, 6, 8, 3}}};
}

/// Creates the engine's table and the catalog's side of it, as CREATE TABLE does.
bool create_table(const Opened& opened, const std::string& name) {
  return opened.commit([&](CatalogSession& session) {
    return opened.connection->run("CREATE TABLE public.\"" + name +
                                  "\" (id BIGINT, name VARCHAR, price DECIMAL(7,2))") &&
           session.put(table_of(*opened.catalog, name));
  });
}

TEST(Catalog, BootstrapsOnceAndSetsTheAdministratorsPasswordEachTime) {
  const TempDir dir;
  {
    const Opened first(dir.file());
    EXPECT_EQ(first.catalog->user("leat")->id, kFirstUserId);
    EXPECT_TRUE(first.catalog->user("leat")->superuser);
    EXPECT_EQ(first.catalog->schema("public")->oid, kPublicOid);
    EXPECT_EQ(first.catalog->database()->name, "dev");
    EXPECT_TRUE(password_matches(first.catalog->user("leat").get(), "Secret123"));
  }
  const Opened second(dir.file(), "Another123");
  EXPECT_EQ(second.catalog->users().size(), 1U);
  EXPECT_TRUE(password_matches(second.catalog->user("leat").get(), "Another123"));
  EXPECT_FALSE(password_matches(second.catalog->user("leat").get(), "Secret123"));
}

TEST(Catalog, WithoutAPasswordTheAdministratorCannotLogIn) {
  const Opened opened({}, "");
  EXPECT_TRUE(opened.catalog->user("leat")->password_disabled);
  EXPECT_FALSE(password_matches(opened.catalog->user("leat").get(), ""));
}

TEST(Catalog, EverythingIsThereAfterReopening) {
  const TempDir dir;
  Oid table_oid = 0;
  {
    const Opened opened(dir.file());
    ASSERT_TRUE(opened.commit([&](CatalogSession& session) {
      User user;
      user.id = opened.catalog->new_user_id();
      user.name = "Ann 'x'";
      user.md5_hex = std::string(32, 'a');
      user.sha256_digest = std::string("\0\1\xff", 3);
      user.sha256_salt = std::string("\xfe\0", 2);
      user.valid_until = "2027-01-01";
      user.connection_limit = 3;
      user.settings = {{"query_group", "a=b"}, {"search_path", "shop, public"}};
      Group group{.id = opened.catalog->new_user_id(), .name = "g", .members = {user.id}};
      Schema schema{.oid = opened.catalog->new_oid(),
                    .name = "s",
                    .owner = user.id,
                    .acl = {{.kind = GranteeKind::kGroup,
                             .grantee = group.id,
                             .grantor = kFirstUserId,
                             .privileges = kUsage | kCreate,
                             .grantable = kUsage}},
                    .comment = "it's"};
      Relation table = table_of(*opened.catalog, "t");
      table_oid = table.oid;
      table.distribution = DistributionStyle::kKey;
      table.sort_automatic = false;
      table.comment = "rows";
      table.columns[0].distribution_key = true;
      table.columns[0].not_null = true;
      table.columns[0].identity = true;
      table.columns[0].identity_seed = 5;
      table.columns[0].identity_step = -2;
      table.columns[1].sort_key = -1;
      table.columns[2].sort_key = 2;
      table.columns[2].default_text = "1.5";
      table.columns[2].comment = "price's";
      table.constraints = {{.oid = opened.catalog->new_oid(),
                            .index_oid = opened.catalog->new_oid(),
                            .kind = ConstraintKind::kPrimaryKey,
                            .name = "t_pkey",
                            .columns = {1, 2}}};
      table.acl = {{.kind = GranteeKind::kUser,
                    .grantee = user.id,
                    .grantor = kFirstUserId,
                    .privileges = kSelect,
                    .grantable = 0}};
      Relation view = table_of(*opened.catalog, "v");
      view.kind = RelationKind::kView;
      view.definition = "select * from t where name = 'x'";
      view.depends_on = {table.oid};
      view.uses = {{table.oid, 2}, {table.oid, 3}};
      view.binding = std::make_shared<const Binding>(awkward_binding(table.oid));
      return session.put(user) && session.put(group) && session.put(schema) && session.put(table) &&
             session.put(view);
    }));
  }
  const Opened opened(dir.file());
  const UserPointer user = opened.catalog->user("Ann 'x'");
  ASSERT_NE(user, nullptr);
  EXPECT_EQ(user->sha256_digest, std::string("\0\1\xff", 3));
  EXPECT_EQ(user->sha256_salt, std::string("\xfe\0", 2));
  EXPECT_TRUE(user->valid_until_time.has_value());
  EXPECT_EQ(user->connection_limit, 3);
  EXPECT_EQ(user->settings.at("query_group"), "a=b");
  EXPECT_EQ(user->settings.at("search_path"), "shop, public");
  EXPECT_THAT(opened.catalog->group("g")->members, ElementsAre(user->id));
  const SchemaPointer schema = opened.catalog->schema("s");
  EXPECT_EQ(schema->owner, user->id);
  EXPECT_EQ(schema->comment, "it's");
  ASSERT_EQ(schema->acl.size(), 1U);
  EXPECT_EQ(schema->acl[0].grantable, kUsage);
  const RelationPointer table = opened.catalog->relation(kPublicOid, "t");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->oid, table_oid);
  EXPECT_EQ(table->distribution, DistributionStyle::kKey);
  EXPECT_FALSE(table->sort_automatic);
  ASSERT_EQ(table->columns.size(), 3U);
  EXPECT_TRUE(table->columns[0].distribution_key);
  EXPECT_EQ(table->columns[0].identity_step, -2);
  EXPECT_EQ(sql::format_type(table->columns[1].type), "character varying(40)");
  EXPECT_EQ(table->columns[1].sort_key, -1);
  EXPECT_EQ(sql::format_type(table->columns[2].type), "numeric(7,2)");
  EXPECT_EQ(table->columns[2].default_text, "1.5");
  EXPECT_EQ(table->columns[2].comment, "price's");
  ASSERT_EQ(table->constraints.size(), 1U);
  EXPECT_THAT(table->constraints[0].columns, ElementsAre(1, 2));
  EXPECT_EQ(table->acl[0].grantee, user->id);
  const RelationPointer view = opened.catalog->relation(kPublicOid, "v");
  EXPECT_EQ(view->definition, "select * from t where name = 'x'");
  EXPECT_THAT(view->depends_on, ElementsAre(table_oid));
  EXPECT_THAT(view->uses,
              ElementsAre(ColumnReference{table_oid, 2}, ColumnReference{table_oid, 3}));
  ASSERT_NE(view->binding, nullptr);
  EXPECT_EQ(*view->binding, awkward_binding(table_oid));
  EXPECT_GT(opened.catalog->new_oid(), view->oid);
}

TEST(Catalog, ChangesAreOnesOwnUntilTheyAreCommitted) {
  const Opened opened;
  const auto other_connection = opened.connect();
  CatalogSession mine(*opened.catalog, *opened.connection);
  const CatalogSession theirs(*opened.catalog, *other_connection);
  const std::uint64_t version = opened.catalog->version();
  ASSERT_TRUE(opened.connection->begin());
  mine.transaction_started();
  ASSERT_TRUE(mine.put(table_of(*opened.catalog, "t")));
  EXPECT_NE(mine.relation("public", "t"), nullptr);
  EXPECT_EQ(theirs.relation("public", "t"), nullptr);
  ASSERT_TRUE(mine.commit());
  EXPECT_NE(theirs.relation("public", "t"), nullptr);
  EXPECT_GT(opened.catalog->version(), version);

  // A rename within a transaction frees the old name for another table at once.
  ASSERT_TRUE(opened.connection->begin());
  mine.transaction_started();
  Relation renamed = *mine.relation("public", "t");
  renamed.name = "t_old";
  ASSERT_TRUE(mine.put(renamed));
  EXPECT_EQ(mine.relation("public", "t"), nullptr);
  ASSERT_TRUE(mine.put(table_of(*opened.catalog, "t")));
  ASSERT_TRUE(mine.commit());
  EXPECT_EQ(theirs.relation("public", "t_old")->oid, renamed.oid);
  EXPECT_NE(theirs.relation("public", "t")->oid, renamed.oid);

  ASSERT_TRUE(opened.connection->begin());
  mine.transaction_started();
  ASSERT_TRUE(mine.drop_relation(*mine.relation("public", "t")));
  EXPECT_EQ(mine.relation("public", "t"), nullptr);
  ASSERT_TRUE(opened.connection->rollback());
  mine.rolled_back();
  EXPECT_NE(mine.relation("public", "t"), nullptr);
  EXPECT_FALSE(mine.changed());
}

TEST(Catalog, TemporaryTablesFollowTheTransaction) {
  const Opened opened;
  CatalogSession mine(*opened.catalog, *opened.connection);
  ASSERT_TRUE(opened.connection->begin());
  mine.transaction_started();
  Relation relation = table_of(*opened.catalog, "tmp");
  relation.temporary = true;
  ASSERT_TRUE(mine.put(relation));
  EXPECT_NE(mine.temporary("tmp"), nullptr);
  ASSERT_TRUE(opened.connection->rollback());
  mine.rolled_back();
  EXPECT_EQ(mine.temporary("tmp"), nullptr);
  EXPECT_THAT(opened.catalog->relations(0), IsEmpty());
}

TEST(Catalog, OfTwoChangesToOneObjectTheSecondFails) {
  const Opened opened;
  ASSERT_TRUE(create_table(opened, "t"));
  const auto other_connection = opened.connect();
  CatalogSession mine(*opened.catalog, *opened.connection);
  CatalogSession theirs(*opened.catalog, *other_connection);
  ASSERT_TRUE(opened.connection->begin());
  mine.transaction_started();
  ASSERT_TRUE(other_connection->begin());
  theirs.transaction_started();
  Relation first = *mine.relation("public", "t");
  first.comment = "first";
  ASSERT_TRUE(mine.put(first));
  Relation second = *theirs.relation("public", "t");
  second.comment = "second";
  const auto late = theirs.put(second);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().sqlstate, "40001");
  ASSERT_TRUE(mine.commit());
  EXPECT_EQ(opened.catalog->relation(kPublicOid, "t")->comment, "first");
}

/// Runs `work` in another process with the pipe's writing end; returns what it wrote until its end.
/// `kill_after`: kills it once it has written so many bytes; 0: never.
std::string in_child(const std::function<void(int)>& work, std::size_t kill_after) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    alarm(60);
    work(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  std::string said;
  char byte = 0;
  while (read(ends[0], &byte, 1) == 1) {
    said.push_back(byte);
    if (kill_after > 0 && said.size() == kill_after) kill(child, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return said;
}

/// Every table acknowledged is in the catalog, and the catalog has exactly the engine's tables.
void expect_whole(const std::string& file, std::size_t acknowledged) {
  const Opened opened(file);
  for (std::size_t i = 0; i < acknowledged; ++i) {
    EXPECT_NE(opened.catalog->relation(kPublicOid, "t" + std::to_string(i)), nullptr) << i;
  }
  const auto tables =
      opened.connection->query("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'public'");
  ASSERT_TRUE(tables) << tables.error().message;
  const std::size_t known = opened.catalog->relations(0).size();
  EXPECT_EQ(tables->front().front(), std::to_string(known));
  EXPECT_LE(known, acknowledged + 1);
}

TEST(Catalog, AKillLosesNothingThatWasAcknowledged) {
  const TempDir dir;
  {
    const Opened made(dir.file());
  }
  const auto endless = [&](int out) {
    const Opened opened(dir.file());
    for (int i = 0; create_table(opened, "t" + std::to_string(i)); ++i) {
      if (write(out, "+", 1) != 1) return;
    }
  };
  const std::string said = in_child(endless, 5);
  EXPECT_GE(said.size(), 5U);
  expect_whole(dir.file(), said.size());
}

TEST(Catalog, AWriteThatFailsLeavesTheObjectWholeOrAbsent) {
  // The n-th kilobyte cannot be written any more: at the write of a row, in the middle of one, or
  // at the commit.
  bool all_fitted = false;
  for (std::uint64_t room = 0; !all_fitted && room < 64'000; room += 1'499) {
    const TempDir dir;
    {
      const Opened made(dir.file());
    }
    constexpr std::size_t kTables = 4;
    const std::string said = in_child(
        [&](int out) {
          const Opened opened(dir.file());
          std::signal(SIGXFSZ, SIG_IGN);
          const rlimit limit{.rlim_cur = room, .rlim_max = RLIM_INFINITY};
          setrlimit(RLIMIT_FSIZE, &limit);
          for (std::size_t i = 0; i < kTables; ++i) {
            if (!create_table(opened, "t" + std::to_string(i))) break;
            if (write(out, "+", 1) != 1) return;
          }
          // Without this, closing the file would write it again.
          _exit(0);
        },
        0);
    expect_whole(dir.file(), said.size());
    all_fitted = said.size() == kTables;
    if (room == 0) {
      EXPECT_EQ(said, "") << "nothing was limited";
    }
  }
  EXPECT_TRUE(all_fitted);
}

TEST(Rights, AreThoseOfPublicOfTheGroupsAndOnesOwn) {
  const Opened opened;
  User user{.id = 200, .name = "u"};
  ASSERT_TRUE(opened.commit([&](CatalogSession& session) {
    return session.put(user) && session.put(Group{.id = 300, .name = "g", .members = {200}});
  }));
  const CatalogSession session(*opened.catalog, *opened.connection);
  Acl acl;
  change_acl(acl, GranteeKind::kPublic, 0, 100, kSelect, false, false, false);
  change_acl(acl, GranteeKind::kGroup, 300, 100, kInsert, false, false, false);
  change_acl(acl, GranteeKind::kUser, 200, 100, kDelete, true, false, false);
  change_acl(acl, GranteeKind::kUser, 201, 100, kUpdate, false, false, false);
  EXPECT_EQ(effective_privileges(session, user, 100, acl), kSelect | kInsert | kDelete);
  EXPECT_EQ(effective_privileges(session, user, user.id, acl), ~0U);
  EXPECT_EQ(grantable_privileges(user, 100, acl), kDelete);
  EXPECT_THAT(acl_items(session, 100, kAllOnTable, acl),
              ElementsAre("leat=arwdxDtA/leat", "=r/leat", "group g=a/leat", "u=d*/leat",
                          "unknown=w/leat"));
  change_acl(acl, GranteeKind::kUser, 200, 100, kDelete, false, true, true);
  EXPECT_EQ(grantable_privileges(user, 100, acl), 0U);
  EXPECT_EQ(effective_privileges(session, user, 100, acl), kSelect | kInsert | kDelete);
  change_acl(acl, GranteeKind::kUser, 200, 100, kDelete, false, true, false);
  EXPECT_EQ(effective_privileges(session, user, 100, acl), kSelect | kInsert);
  EXPECT_EQ(acl.size(), 3U);
}

TEST(Rights, OfRolesAreThoseOfTheRolesTheyHold) {
  const Opened opened;
  const User user{.id = 200, .name = "u"};
  ASSERT_TRUE(opened.commit([&](CatalogSession& session) {
    return session.put(user) &&
           session.put(
               Role{.id = 300, .name = "outer", .holders = {{GranteeKind::kUser, 200, false}}}) &&
           session.put(Role{.id = 301,
                            .name = "inner",
                            .privileges = {"create user"},
                            .holders = {{GranteeKind::kRole, 300, false}}}) &&
           session.put(Role{.id = 302, .name = "other"});
  }));
  const CatalogSession session(*opened.catalog, *opened.connection);
  EXPECT_THAT(roles_of(session, GranteeKind::kUser, 200), ElementsAre(300, 301));
  EXPECT_THAT(roles_of(session, GranteeKind::kRole, 300), ElementsAre(301));
  EXPECT_THAT(roles_of(session, GranteeKind::kRole, 301), IsEmpty());
  Acl acl;
  change_acl(acl, GranteeKind::kRole, 301, 100, kSelect, false, false, false);
  change_acl(acl, GranteeKind::kRole, 302, 100, kDelete, false, false, false);
  EXPECT_EQ(effective_privileges(session, user, 100, acl), kSelect);
  EXPECT_TRUE(has_system_privilege(session, user, "create user"));
  EXPECT_FALSE(has_system_privilege(session, user, "drop user"));
}

TEST(Rights, OnColumnsAreTakenAwayWithThoseOnTheTable) {
  const Opened opened;
  const User user{.id = 200, .name = "u"};
  const CatalogSession session(*opened.catalog, *opened.connection);
  Relation relation = table_of(*opened.catalog, "t");
  change_acl(relation.acl, GranteeKind::kUser, 200, 100, kSelect, false, false, false, 2);
  EXPECT_EQ(privileges_on(session, user, relation), 0U);
  EXPECT_TRUE(has_column_privileges(session, user, relation));
  EXPECT_EQ(column_privileges(session, user, relation, 2), kSelect);
  EXPECT_EQ(column_privileges(session, user, relation, 1), 0U);
  EXPECT_THAT(acl_items(session, 100, kAllOnTable, relation.acl), IsEmpty());
  change_acl(relation.acl, GranteeKind::kUser, 200, 100, kSelect, false, true, false);
  EXPECT_THAT(relation.acl, IsEmpty());
}

IamGrant lake_for_r() {
  return {.role = "arn:aws:iam::1:role/it's",
          .kind = GranteeKind::kRole,
          .grantee = 300,
          .commands = kIamUnload};
}

TEST(Catalog, EverybodyMayNameEveryRoleOfIamAtFirst) {
  const Opened opened;
  EXPECT_THAT(*opened.catalog->iam_grants(), ElementsAre(IamGrant{.commands = kAllIamCommands}));
}

TEST(Catalog, RolesStandingAndColumnPrivilegesAreThereAfterReopening) {
  const TempDir dir;
  Oid table_oid = 0;
  {
    const Opened opened(dir.file());
    ASSERT_TRUE(opened.commit([&](CatalogSession& session) {
      Relation relation = table_of(*opened.catalog, "t");
      table_oid = relation.oid;
      change_acl(relation.acl, GranteeKind::kRole, 300, 100, kUpdate, false, false, false, 3);
      StandingPrivileges standing{
          {.target = StandingTarget::kTables, .owner = 100, .schema = kPublicOid},
          {.target = StandingTarget::kFunctions, .owner = 100}};
      change_acl(standing[0].acl, GranteeKind::kUser, 200, 100, kSelect, true, false, false);
      return opened.connection->run(
                 "CREATE TABLE public.t (id BIGINT, name VARCHAR, price DECIMAL(7,2))") &&
             session.put(std::move(relation)) && session.put(std::move(standing)) &&
             session.put(IamGrants{}) && session.put(IamGrants{lake_for_r()}) &&
             session.put(Role{.id = 300,
                              .name = "r",
                              .owner = 100,
                              .privileges = {"create user", "drop user"},
                              .holders = {{GranteeKind::kUser, 200, true}}});
    }));
  }
  const Opened opened(dir.file());
  const RolePointer role = opened.catalog->role("r");
  ASSERT_NE(role, nullptr);
  EXPECT_EQ(role->owner, 100);
  EXPECT_THAT(role->privileges, ElementsAre("create user", "drop user"));
  EXPECT_THAT(role->holders, ElementsAre(RoleHolder{GranteeKind::kUser, 200, true}));
  EXPECT_THAT(opened.catalog->relation(table_oid)->acl,
              ElementsAre(AclEntry{GranteeKind::kRole, 300, 100, kUpdate, 0, 3}));
  const StandingPointer standing = opened.catalog->standing();
  ASSERT_EQ(standing->size(), 2U);
  EXPECT_THAT(standing->at(0).acl,
              ElementsAre(AclEntry{GranteeKind::kUser, 200, 100, kSelect, kSelect, 0}));
  EXPECT_THAT(standing->at(1).acl, IsEmpty());  // says that nobody may, where everybody could
  EXPECT_THAT(*opened.catalog->iam_grants(), ElementsAre(lake_for_r()));
  EXPECT_GT(opened.catalog->new_user_id(), 300);
  ASSERT_TRUE(
      opened.commit([&](CatalogSession& session) { return session.drop_role(300).has_value(); }));
  EXPECT_EQ(opened.catalog->role("r"), nullptr);
}

TEST(Catalog, AStoreWithoutColumnPrivilegesIsBroughtUpToDate) {
  const TempDir dir;
  {
    const Opened opened(dir.file());
    ASSERT_TRUE(opened.connection->run("ALTER TABLE leat_catalog.acl DROP COLUMN column_number"));
    ASSERT_TRUE(opened.connection->run("DROP TABLE leat_catalog.roles"));
  }
  const Opened opened(dir.file());
  EXPECT_EQ(opened.catalog->schema("public")->acl.size(), 1U);
  EXPECT_EQ(opened.catalog->schema("public")->acl[0].column, 0);
}

TEST(Password, FormsAreRecognisedAndChecked) {
  SeededRandom random(1);
  User user{.name = "ann"};
  ASSERT_TRUE(set_password(user, "Secret1234", true, random));
  EXPECT_EQ(user.md5_hex, to_hex(md5("Secret1234ann")));
  EXPECT_EQ(user.sha256_salt.size(), 32U);
  EXPECT_TRUE(password_matches(&user, "Secret1234"));
  ASSERT_TRUE(set_password(user, "md5" + to_hex(md5("Other12345ann")), true, random));
  EXPECT_EQ(user.sha256_digest, "");
  EXPECT_TRUE(password_matches(&user, "Other12345"));
  EXPECT_FALSE(password_matches(&user, "Secret1234"));
  ASSERT_TRUE(set_password(user, "sha256|Secret1234", true, random));
  EXPECT_EQ(user.md5_hex, "");
  EXPECT_TRUE(password_matches(&user, "Secret1234"));
  EXPECT_FALSE(set_password(user, "sha256|" + std::string(64, 'g') + "|00", true, random));
  EXPECT_FALSE(set_password(user, "sha256|" + std::string(64, 'a') + "|0", true, random));
  EXPECT_TRUE(set_password(user, "short", false, random));
  EXPECT_FALSE(set_password(user, "short", true, random));
  user.password_disabled = true;
  EXPECT_FALSE(password_matches(&user, "short"));
  EXPECT_FALSE(password_matches(nullptr, ""));
}

}  // namespace
}  // namespace leat::catalog
