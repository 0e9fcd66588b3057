#include "pipeline/load/destination.h"

#include <gtest/gtest.h>

namespace leat::load {
namespace {

struct Case {
  std::string_view sqlstate;
  std::string_view message;
  FailureKind kind;
};

TEST(ClassifyFailure, TellsApartWhatTheOperatorMustDo) {
  const Case cases[] = {
      {"", "connection to server at \"10.0.0.1\", port 5439 failed: Connection refused",
       FailureKind::kUnreachable},
      {"", "could not translate host name \"nowhere\" to address: Name or service not known",
       FailureKind::kUnreachable},
      {"", "timeout expired", FailureKind::kUnreachable},
      {"", "server closed the connection unexpectedly", FailureKind::kUnreachable},
      {"57P01", "terminating connection due to administrator command", FailureKind::kUnreachable},
      {"57P03", "the database system is starting up", FailureKind::kUnreachable},
      {"08006", "connection failure", FailureKind::kUnreachable},
      {"57014", "Cannot execute query because system is in resize mode", FailureKind::kUnreachable},
      {"", "server does not support SSL, but SSL was required", FailureKind::kTls},
      {"", "SSL error: certificate verify failed", FailureKind::kTls},
      {"", "root certificate file \"/x\" does not exist", FailureKind::kTls},
      {"", "FATAL:  password authentication failed for user \"leat\"", FailureKind::kLoginRefused},
      {"28000", "password authentication failed for user \"leat\"", FailureKind::kLoginRefused},
      {"28P01", "anything", FailureKind::kLoginRefused},
      {"3D000", "database \"x\" does not exist", FailureKind::kLoginRefused},
      {"", "FATAL:  database \"x\" does not exist", FailureKind::kLoginRefused},
      {"", "FATAL:  role \"x\" is not permitted to log in", FailureKind::kLoginRefused},
      {"", "FATAL:  too many failed logins of user \"leat\"", FailureKind::kLoginRefused},
      {"42501", "permission denied for schema web", FailureKind::kPermission},
      {"XX000", "permission denied for database dev", FailureKind::kPermission},
      {"XX000", "User u does not have ASSUMEROLE permission on IAM role \"r\" for COPY",
       FailureKind::kPermission},
      {"40001", "could not serialize access", FailureKind::kSerialization},
      {"40P01", "deadlock detected", FailureKind::kSerialization},
      {"XX000", "1023 (Detail: Serializable isolation violation on table - 100123)",
       FailureKind::kSerialization},
      {"53100", "could not extend file", FailureKind::kDiskFull},
      {"XX000", "Disk Full", FailureKind::kDiskFull},
      {"57014", "Query (12) cancelled on user's request", FailureKind::kTimeout},
      {"3F000", "schema \"web\" does not exist", FailureKind::kObjectMissing},
      {"42P01", "relation \"tracks\" does not exist", FailureKind::kObjectMissing},
      {"42703", "column \"x\" does not exist", FailureKind::kObjectMissing},
      {"42701", "column \"x\" of relation \"t\" already exists", FailureKind::kObjectExists},
      {"42P07", "relation \"t\" already exists", FailureKind::kObjectExists},
      {"XX000", "Load into table 't' failed.  Check 'stl_load_errors' system table for details.",
       FailureKind::kRowRefused},
      {"XX000",
       "Spectrum Scan Error (error: Spectrum Scan Error code: 15001 context: The length of the "
       "data "
       "column note is longer than the length defined in the table. Table: 5, Data: 9)",
       FailureKind::kRowRefused},
      {"XX000", "Cannot insert a NULL value into column coupon", FailureKind::kRowRefused},
      {"23502", "null value in column \"coupon\" violates not-null constraint",
       FailureKind::kRowRefused},
      {"23505", "duplicate key value", FailureKind::kObjectExists},
      {"22003", "numeric field overflow", FailureKind::kRowRefused},
      {"XX000", "S3ServiceException:Access Denied,Status 403,Error AccessDenied",
       FailureKind::kStagedFile},
      {"XX000", "Spectrum Scan Error", FailureKind::kStagedFile},
      {"42601", "syntax error at or near \"DISTKEY\"", FailureKind::kUnsupported},
      {"0A000", "LOCK is not supported", FailureKind::kUnsupported},
      {"XX000", "1040", FailureKind::kOther},
      {"22001", "value too long for type character varying(10)", FailureKind::kRowRefused},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(failure_kind_name(classify_failure(c.sqlstate, c.message)), failure_kind_name(c.kind))
        << c.sqlstate << " " << c.message;
  }
}

TEST(DescribeFailure, NamesWhatWhereWhyAndTheNextStep) {
  DestinationSettings settings;
  settings.name = "prod";
  settings.host = "cluster.example";
  settings.user = "segment";
  settings.password = "s3cret-password";
  const Error error =
      describe_failure({FailureKind::kPermission, "42501", "permission denied for database dev"},
                       "creating schema \"web\"", settings);
  EXPECT_EQ(error.code, Errc::kDenied);
  EXPECT_EQ(error.message,
            "creating schema \"web\" failed at destination \"prod\" (cluster.example:5439/dev as "
            "segment): "
            "permission denied for database dev (SQLSTATE 42501); as an administrator run: "
            "GRANT CREATE ON DATABASE \"dev\" TO \"segment\"; events wait in the archive");
  EXPECT_EQ(error.message.find(settings.password), std::string::npos);
}

TEST(DescribeFailure, EndsWithTheNextStep) {
  const DestinationSettings settings;
  for (int kind = 0; kind <= static_cast<int>(FailureKind::kOther); ++kind) {
    const DestinationFailure failure{static_cast<FailureKind>(kind), "", "it is so"};
    const std::string step = next_step(failure, settings);
    EXPECT_FALSE(step.empty()) << failure_kind_name(failure.kind);
    EXPECT_TRUE(
        describe_failure(failure, "looking", settings).message.ends_with("it is so; " + step));
  }
}

TEST(DescribeFailure, NamesTheGrantThatIsMissing) {
  DestinationSettings settings;
  settings.user = "u";
  settings.iam_role = "arn:aws:iam::1:role/r";
  const auto step = [&](std::string message) {
    return describe_failure({FailureKind::kPermission, "42501", std::move(message)}, "x", settings)
        .message;
  };
  EXPECT_NE(step("permission denied for schema web")
                .find("GRANT USAGE, CREATE ON SCHEMA \"web\" TO \"u\""),
            std::string::npos);
  EXPECT_NE(
      step("permission denied for relation tracks").find("ON TABLE <schema>.\"tracks\" TO \"u\""),
      std::string::npos);
  EXPECT_NE(step("must be owner of relation tracks")
                .find("ALTER TABLE <schema>.\"tracks\" OWNER TO \"u\""),
            std::string::npos);
  EXPECT_NE(step("permission denied to create temporary tables in database \"dev\"")
                .find("GRANT TEMP ON DATABASE \"dev\" TO \"u\""),
            std::string::npos);
  EXPECT_NE(step("User u does not have ASSUMEROLE permission on IAM role")
                .find("GRANT ASSUMEROLE ON 'arn:aws:iam::1:role/r' TO \"u\" FOR COPY"),
            std::string::npos);
}

TEST(DescribeFailure, SaysOnceWhatCameTwice) {
  DestinationSettings settings;
  settings.host = "h";
  const std::string once = "connection to h failed: FATAL:  no\nHINT:  Wait.";
  const Error error = describe_failure({FailureKind::kLoginRefused, "", once + "\n" + once + "\n"},
                                       "connecting", settings);
  EXPECT_NE(error.message.find("connection to h failed: FATAL:  no HINT:  Wait; set the"),
            std::string::npos)
      << error.message;
}

TEST(DescribeFailure, IsOneLine) {
  const Error error = describe_failure(
      {FailureKind::kUnreachable, "", "Connection refused\n\tIs the server running?\n"}, "x", {});
  EXPECT_NE(error.message.find("Connection refused Is the server running?; check"),
            std::string::npos)
      << error.message;
}

TEST(DescribeFailure, GivesTheCodeThatSaysWhatToDoNext) {
  const DestinationSettings settings;
  const auto code = [&](FailureKind kind) {
    return describe_failure({kind, "", "m"}, "x", settings).code;
  };
  EXPECT_EQ(code(FailureKind::kUnreachable), Errc::kUnavailable);
  EXPECT_EQ(code(FailureKind::kLoginRefused), Errc::kDenied);
  EXPECT_EQ(code(FailureKind::kSerialization), Errc::kAborted);
  EXPECT_EQ(code(FailureKind::kDiskFull), Errc::kExhausted);
  EXPECT_EQ(code(FailureKind::kUnsupported), Errc::kUnsupported);
}

TEST(Quote, KeepsAnyTextWhole) {
  EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\b"), "('a' || chr(92) || 'b')");
  EXPECT_EQ(quote_literal(""), "''");
}

}  // namespace
}  // namespace leat::load
