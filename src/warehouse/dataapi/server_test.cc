// The server as signing clients see it, over real sockets.
#include "warehouse/dataapi/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "warehouse/dataapi/test_client.h"
#include "warehouse/session/warehouse.h"

namespace leat::dataapi {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

const AccessKey kAdmin{"LEATADMIN0000000", "adminsecretadminsecret", "leat"};
const AccessKey kOther{"LEATOTHER0000000", "othersecretothersecret", "other"};

class DataApiServer : public testing::Test {
 protected:
  void SetUp() override {
    auto warehouse = session::Warehouse::open({.admin_password = "Secret123"});
    ASSERT_TRUE(warehouse) << warehouse.error().message;
    warehouse_ = std::move(*warehouse);
    ServerOptions options;
    options.listen = {"127.0.0.1", 0};
    options.keys = {kAdmin, kOther};
    options.warehouse = warehouse_.get();
    auto server = Server::start(std::move(options));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    admin_ = client(kAdmin);
  }
  void TearDown() override {
    if (server_ != nullptr) server_->stop(net::Deadline::after_us(5'000'000));
  }

  std::unique_ptr<TestClient> client(const AccessKey& key) {
    return std::make_unique<TestClient>("http://" + server_->local().to_string(),
                                        aws::Secret{key.id, key.secret, ""});
  }

  struct Answer {
    int status = 0;
    Json json{};
    [[nodiscard]] std::string type() const { return json.value("__type", ""); }
    [[nodiscard]] std::string message() const { return json.value("Message", ""); }
  };
  static Answer ask(const TestClient& asking, std::string_view operation, const Json& body) {
    const io::HttpResponse answer = asking.data(operation, body.dump());
    return {answer.status, Json::parse(answer.body, nullptr, false)};
  }
  Answer ask(std::string_view operation, const Json& body) { return ask(*admin_, operation, body); }

  static Json statement(const std::string& sql) {
    return {{"Sql", sql}, {"Database", "dev"}, {"WorkgroupName", "leat"}, {"WaitTimeSeconds", 30}};
  }

  std::unique_ptr<session::Warehouse> warehouse_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<TestClient> admin_;
};

TEST_F(DataApiServer, AnswersAStatementFromEndToEnd) {
  const Answer executed = ask("ExecuteStatement", statement("select 1 as one, 'x' as two"));
  ASSERT_EQ(executed.status, 200) << executed.json;
  EXPECT_EQ(executed.json["Status"], "FINISHED");
  EXPECT_EQ(executed.json["HasResultSet"], true);
  EXPECT_EQ(executed.json["DbUser"], "IAM:leat");
  const Json id = {{"Id", executed.json["Id"]}};
  const Answer described = ask("DescribeStatement", id);
  EXPECT_EQ(described.json["QueryString"], "select 1 as one, 'x' as two");
  EXPECT_EQ(described.json["ResultRows"], 1);
  EXPECT_GT(described.json["Duration"], 0);
  const Answer result = ask("GetStatementResult", id);
  EXPECT_EQ(result.json["TotalNumRows"], 1);
  EXPECT_EQ(result.json["Records"], Json::parse(R"([[{"longValue":1},{"stringValue":"x"}]])"));
  EXPECT_EQ(result.json["ColumnMetadata"][0]["name"], "one");
  EXPECT_EQ(result.json["ColumnMetadata"][0]["typeName"], "int4");
  EXPECT_EQ(ask("GetStatementResultV2", id).type(), "ValidationException");
  EXPECT_EQ(ask("CancelStatement", id).type(), "ValidationException");
  EXPECT_EQ(ask("ListStatements", Json::object()).json["Statements"].size(), 1U);
}

TEST_F(DataApiServer, RefusesWrongSignatures) {
  const auto type = [](const io::HttpResponse& answer) {
    return Json::parse(answer.body, nullptr, false).value("__type", "");
  };
  AccessKey wrong = kAdmin;
  wrong.secret += "x";
  io::HttpResponse answer = client(wrong)->data("ListStatements", "{}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(type(answer), "InvalidSignatureException");
  EXPECT_EQ(answer.header("x-amzn-ErrorType"), "InvalidSignatureException");
  EXPECT_TRUE(answer.header("x-amzn-RequestId"));
  wrong = kAdmin;
  wrong.id = "LEATNOBODY000000";
  EXPECT_EQ(type(client(wrong)->data("ListStatements", "{}")), "UnrecognizedClientException");
  const auto late = client(kAdmin);
  late->now = TimeUs{late->now.value - 16 * kUsPerMinute};
  EXPECT_EQ(type(late->data("ListStatements", "{}")), "InvalidSignatureException");
  // A key whose user does not exist.
  EXPECT_EQ(type(client(kOther)->data("ListStatements", "{}")), "AccessDeniedException");
  // Signed for another service.
  answer = admin_->send({.service = "s3",
                         .headers = {{"X-Amz-Target", "RedshiftData.ListStatements"}},
                         .body = "{}"});
  EXPECT_EQ(type(answer), "InvalidSignatureException");
}

TEST_F(DataApiServer, TellsWhatIsWrongWithARequest) {
  struct Case {
    std::string operation;
    std::string body;
    std::string type;
  };
  const std::string long_sql(100 * 1024 + 1, 'x');
  const Case cases[] = {
      {"ExecuteStatement", "{", "SerializationException"},
      {"ExecuteStatement", "[]", "SerializationException"},
      {"ExecuteStatement", R"({"Sql":1})", "SerializationException"},
      {"ExecuteStatement", "{}", "ValidationException"},
      {"ExecuteStatement", R"({"Sql":"select 1","Database":"dev"})", "ValidationException"},
      {"ExecuteStatement", R"({"Sql":"select 1","WorkgroupName":"wg1"})", "ValidationException"},
      {"ExecuteStatement",
       R"({"Sql":"select 1","Database":"dev","WorkgroupName":"wg1","ClusterIdentifier":"c1"})",
       "ValidationException"},
      {"ExecuteStatement",
       R"({"Sql":"select 1","Database":"dev","WorkgroupName":"wg1","Parameters":[]})",
       "ValidationException"},
      {"ExecuteStatement",
       R"({"Sql":"select 1","Database":"dev","WorkgroupName":"wg1",
           "Parameters":[{"name":"a","value":"1"}]})",
       "ValidationException"},
      {"ExecuteStatement", R"({"Sql":")" + long_sql + R"(","Database":"dev"})",
       "ValidationException"},
      {"BatchExecuteStatement", R"({"Sqls":[],"Database":"dev","WorkgroupName":"wg1"})",
       "ValidationException"},
      {"DescribeStatement", R"({"Id":"x"})", "ValidationException"},
      {"DescribeStatement", R"({"Id":"d9b6c0c9-0747-4bf4-b142-e8883122f766"})",
       "ResourceNotFoundException"},
      {"ListStatements", R"({"MaxResults":101})", "ValidationException"},
      {"ListStatements", R"({"NextToken":"nonsense"})", "ValidationException"},
      {"ListTables", "{}", "ValidationException"},
      {"Nonsense", "{}", "UnknownOperationException"},
  };
  for (const Case& each : cases) {
    const io::HttpResponse answer = admin_->data(each.operation, each.body);
    EXPECT_EQ(Json::parse(answer.body, nullptr, false).value("__type", ""), each.type)
        << each.operation << " " << each.body.substr(0, 100) << " " << answer.body;
  }
}

TEST_F(DataApiServer, ListsTheCatalog) {
  for (const char* sql : {"create schema shop",
                          "create table shop.items (id int not null, "
                          "name varchar(20) default 'x', price decimal(8,2))",
                          "create view shop.names as select name from shop.items"}) {
    ASSERT_EQ(ask("ExecuteStatement", statement(sql)).json["Status"], "FINISHED") << sql;
  }
  const Json target = {{"Database", "dev"}, {"ClusterIdentifier", "leat"}};
  Json asked = target;
  EXPECT_THAT(ask("ListDatabases", asked).json["Databases"], testing::Contains("dev"));
  asked["SchemaPattern"] = "sh%";
  EXPECT_EQ(ask("ListSchemas", asked).json["Schemas"], Json({"shop"}));
  const Json tables = ask("ListTables", asked).json["Tables"];
  EXPECT_EQ(tables, Json::parse(R"([{"name":"items","schema":"shop","type":"TABLE"},
                                    {"name":"names","schema":"shop","type":"VIEW"}])"));
  asked["MaxResults"] = 1;
  const Answer first = ask("ListTables", asked);
  EXPECT_EQ(first.json["Tables"].size(), 1U);
  asked["NextToken"] = first.json["NextToken"];
  const Answer second = ask("ListTables", asked);
  EXPECT_EQ(second.json["Tables"][0]["name"], "names");
  EXPECT_FALSE(second.json.contains("NextToken"));

  asked = target;
  asked["Schema"] = "shop";
  asked["Table"] = "items";
  const Json table = ask("DescribeTable", asked).json;
  EXPECT_EQ(table["TableName"], "items");
  ASSERT_EQ(table["ColumnList"].size(), 3U);
  EXPECT_EQ(table["ColumnList"][0]["typeName"], "int4");
  EXPECT_EQ(table["ColumnList"][0]["nullable"], 0);
  EXPECT_EQ(table["ColumnList"][1]["length"], 20);
  EXPECT_THAT(table["ColumnList"][1]["columnDefault"].get<std::string>(), HasSubstr("x"));
  EXPECT_EQ(table["ColumnList"][2]["precision"], 8);
  EXPECT_EQ(table["ColumnList"][2]["scale"], 2);
  asked["Database"] = "nowhere";
  EXPECT_THAT(ask("DescribeTable", asked).message(), HasSubstr("does not exist"));
}

TEST_F(DataApiServer, LetsOnlyASuperuserActAsOthers) {
  ASSERT_EQ(
      ask("ExecuteStatement", statement("create user other password 'Secret123'")).json["Status"],
      "FINISHED");
  Json asked = {{"Sql", "select current_user"},
                {"Database", "dev"},
                {"ClusterIdentifier", "c1"},
                {"DbUser", "other"},
                {"WaitTimeSeconds", 30}};
  Answer answer = ask("ExecuteStatement", asked);
  ASSERT_EQ(answer.json["Status"], "FINISHED") << answer.json;
  EXPECT_EQ(
      ask("GetStatementResult", {{"Id", answer.json["Id"]}}).json["Records"][0][0]["stringValue"],
      "other");
  const auto other = client(kOther);
  EXPECT_EQ(ask(*other, "DescribeStatement", {{"Id", answer.json["Id"]}}).type(),
            "ResourceNotFoundException");
  EXPECT_EQ(ask(*other, "ExecuteStatement", asked).json["Status"], "FINISHED");
  asked["DbUser"] = "leat";
  EXPECT_EQ(ask(*other, "ExecuteStatement", asked).type(), "AccessDeniedException");
  asked.erase("DbUser");
  asked["SecretArn"] = "arn:aws:secretsmanager:us-east-1:000000000000:secret:other-AbCdEf";
  EXPECT_EQ(ask("ExecuteStatement", asked).json["Status"], "FINISHED");
  EXPECT_EQ(ask(*other, "ExecuteStatement", asked).json["Status"], "FINISHED");
  asked["SecretArn"] = "arn:aws:secretsmanager:us-east-1:000000000000:secret:leat";
  EXPECT_EQ(ask(*other, "ExecuteStatement", asked).type(), "AccessDeniedException");
  asked["SecretArn"] = "arn:aws:secretsmanager:us-east-1:000000000000:secret:nobody";
  EXPECT_EQ(ask("ExecuteStatement", asked).type(), "ValidationException");
}

TEST_F(DataApiServer, GivesTemporaryPasswords) {
  const auto form = [&](const std::string& body, const std::string& service = "redshift") {
    return admin_->send(
        {.service = service,
         .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
         .body = body});
  };
  const auto element = [](const std::string& xml, const std::string& name) {
    const std::size_t begin = xml.find("<" + name + ">") + name.size() + 2;
    return xml.substr(begin, xml.find("</" + name + ">") - begin);
  };
  io::HttpResponse answer = form(
      "Action=GetClusterCredentials&Version=2012-12-01&DbUser=fresh&ClusterIdentifier=c1&"
      "AutoCreate=true&DbName=dev");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(element(answer.body, "DbUser"), "IAMA:fresh");
  EXPECT_TRUE(warehouse_->user_facts("fresh"));
  EXPECT_TRUE(warehouse_->check_password("IAMA:fresh", element(answer.body, "DbPassword")));
  EXPECT_FALSE(warehouse_->check_password("IAMA:fresh", "nonsense"));

  answer = form("Action=GetClusterCredentialsWithIAM&Version=2012-12-01&ClusterIdentifier=c1");
  EXPECT_EQ(element(answer.body, "DbUser"), "IAM:leat");
  EXPECT_TRUE(warehouse_->check_password("IAM:leat", element(answer.body, "DbPassword")));
  answer = form("Action=DescribeClusters&Version=2012-12-01");
  EXPECT_EQ(element(answer.body, "Port"), "5439");
  EXPECT_EQ(element(form("Action=GetCallerIdentity&Version=2011-06-15", "sts").body, "Account"),
            "000000000000");
  answer = form("Action=DeleteCluster&Version=2012-12-01");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(element(answer.body, "Code"), "InvalidAction");
  answer = form("Action=GetClusterCredentialsWithIAM&DurationSeconds=1");
  EXPECT_EQ(element(answer.body, "Code"), "InvalidParameterValue");

  const auto serverless = [&](const std::string& operation, const std::string& body) {
    return Json::parse(admin_
                           ->send({.service = "redshift-serverless",
                                   .headers = {{"X-Amz-Target", "RedshiftServerless." + operation}},
                                   .body = body})
                           .body,
                       nullptr, false);
  };
  const Json given = serverless("GetCredentials", R"({"workgroupName":"wg-1","dbName":"dev"})");
  EXPECT_EQ(given["dbUser"], "IAM:leat");
  EXPECT_TRUE(warehouse_->check_password("IAM:leat", given["dbPassword"].get<std::string>()));
  EXPECT_TRUE(given["expiration"].is_number());
  const Json workgroup = serverless("GetWorkgroup", R"({"workgroupName":"wg-1"})")["workgroup"];
  EXPECT_EQ(workgroup["endpoint"]["port"], 5439);
  EXPECT_EQ(workgroup["workgroupName"], "wg-1");
}

TEST_F(DataApiServer, PagesResults) {
  const Answer executed =
      ask("ExecuteStatement", statement("select repeat('x', 1000) from generate_series(1, 3000)"));
  ASSERT_EQ(executed.json["Status"], "FINISHED") << executed.json;
  Json asked = {{"Id", executed.json["Id"]}};
  std::size_t rows = 0;
  std::size_t pages = 0;
  for (;;) {
    const Answer page = ask("GetStatementResult", asked);
    ASSERT_EQ(page.status, 200) << page.json;
    rows += page.json["Records"].size();
    ++pages;
    if (!page.json.contains("NextToken")) break;
    asked["NextToken"] = page.json["NextToken"];
  }
  EXPECT_EQ(rows, 3000U);
  EXPECT_GT(pages, 1U);
}

}  // namespace
}  // namespace leat::dataapi
