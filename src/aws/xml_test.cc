#include "aws/xml.h"

#include <gtest/gtest.h>

namespace leat::aws {
namespace {

TEST(AwsXml, Errors) {
  const auto s3 = parse_error_xml(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AuthorizationHeaderMalformed</Code>"
      "<Message>a &amp; b</Message><Region>eu-west-1</Region></Error>");
  ASSERT_TRUE(s3.has_value());
  EXPECT_EQ(s3->code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(s3->message, "a & b");
  EXPECT_EQ(s3->region, "eu-west-1");
  const auto sts = parse_error_xml(
      "<ErrorResponse "
      "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
      "<Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>");
  ASSERT_TRUE(sts.has_value());
  EXPECT_EQ(sts->code, "AccessDenied");
  EXPECT_TRUE(parse_error_xml("   \n<Error><Code>X</Code><Message/></Error>").has_value());
  for (const char* other : {"", "no xml", "<Error", "<Html/>", "{}"}) {
    EXPECT_FALSE(parse_error_xml(other).has_value()) << other;
  }
}

TEST(AwsXml, Lists) {
  const auto list = parse_list_xml(
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
      "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
      "<Contents><Key>a%2Fb+c%2Bd%C3%A9</Key><LastModified>2026-11-20T14:03:05.123Z</LastModified>"
      "<ETag>&quot;abc-2&quot;</ETag><Size>12</Size></Contents>"
      "<Contents><Key>z</Key><ETag>\"q\"</ETag><Size>0</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(list.has_value());
  EXPECT_TRUE(list->truncated);
  ASSERT_EQ(list->objects.size(), 2u);
  EXPECT_EQ(list->objects[0].key, "a/b c+d\xc3\xa9");
  EXPECT_EQ(list->objects[0].etag, "abc-2");
  EXPECT_EQ(list->objects[0].size, 12u);
  EXPECT_EQ(list->objects[0].modified, *parse_iso8601("2026-11-20T14:03:05.123Z"));
  // A server that does not encode.
  EXPECT_EQ(parse_list_xml("<ListBucketResult><Contents><Key>a+b%20</Key><Size>1</Size></Contents>"
                           "</ListBucketResult>")
                ->objects[0]
                .key,
            "a+b%20");
  EXPECT_TRUE(parse_list_xml("<ListBucketResult/>")->objects.empty());
  for (const char* bad :
       {"", "<Error/>", "<ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>"}) {
    EXPECT_EQ(parse_list_xml(bad).error().code, Errc::kInvalid) << bad;
  }
}

TEST(AwsXml, NoEntityOfTheDocumentIsExpanded) {
  const auto error = parse_error_xml(
      "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;\">"
      "<!ENTITY f SYSTEM \"file:///etc/passwd\">]><Error><Code>&b;&f;</Code></Error>");
  if (error) {
    EXPECT_EQ(error->code, "&b;&f;");
  }
}

TEST(AwsXml, UploadsAndDeletes) {
  EXPECT_EQ(parse_upload_id_xml("<InitiateMultipartUploadResult><UploadId>u~1</UploadId>"
                                "</InitiateMultipartUploadResult>")
                .value(),
            "u~1");
  EXPECT_FALSE(parse_upload_id_xml("<InitiateMultipartUploadResult/>").has_value());
  EXPECT_EQ(parse_complete_xml("<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag>"
                               "</CompleteMultipartUploadResult>")
                .value(),
            "e-2");
  EXPECT_FALSE(parse_complete_xml("<Error><Code>InternalError</Code></Error>").has_value());
  const std::vector<std::string> etags = {"a", "b&"};
  EXPECT_EQ(complete_xml(etags),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part>"
            "<Part><PartNumber>2</PartNumber><ETag>&quot;b&amp;&quot;</ETag></Part>"
            "</CompleteMultipartUpload>");
  const std::vector<std::string> keys = {"k<&>\"'.txt"};
  EXPECT_EQ(delete_xml(keys),
            "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
            "<Object><Key>k&lt;&amp;&gt;&quot;'.txt</Key></Object></Delete>");
  const auto failed = parse_delete_xml(
      "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code><Message>m</Message></Error>"
      "</DeleteResult>");
  ASSERT_EQ(failed->size(), 1u);
  EXPECT_EQ(failed->front().code, "AccessDenied");
}

TEST(AwsXml, IssuedKeys) {
  const std::string good =
      "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
      "<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
      "<SessionToken>t</SessionToken><Expiration>2026-01-01T00:00:00Z</Expiration></Credentials>"
      "</AssumeRoleResult></AssumeRoleResponse>";
  const auto keys = parse_issued_keys_xml(good);
  ASSERT_TRUE(keys.has_value());
  EXPECT_EQ(keys->access_key_id, "ASIA");
  EXPECT_EQ(keys->session_token, "t");
  EXPECT_EQ(keys->expires, *parse_iso8601("2026-01-01T00:00:00Z"));
  for (const char* part : {"ASIA", ">s<", "2026-01-01T00:00:00Z"}) {
    std::string bad = good;
    bad.replace(bad.find(part), std::string_view(part).size(), part[0] == '>' ? "><" : "");
    EXPECT_FALSE(parse_issued_keys_xml(bad).has_value()) << part;
  }
}

TEST(AwsXml, DeleteRequests) {
  // As awscli and the JavaScript client write them.
  const auto request = parse_delete_request(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Delete "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>k&amp;&lt;.txt</Key></Object>"
      "<s:Object><s:Key>a<![CDATA[<b>]]>c</s:Key></s:Object><Object><Key> </Key></Object>"
      "<Quiet>true</Quiet></Delete>");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->keys, (std::vector<std::string>{"k&<.txt", "a<b>c", " "}));
  EXPECT_TRUE(request->quiet);
  EXPECT_FALSE(parse_delete_request("<Delete><Object><Key>k</Key></Object></Delete>")->quiet);
  EXPECT_FALSE(parse_delete_request(
      "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>", 1));
  for (const char* bad :
       {"", "<Delete/>", "<Delete><Object/></Delete>", "<Delete><Object><Key/></Object></Delete>",
        "<Other><Object><Key>k</Key></Object></Other>", "<Delete><Object><Key>k</Key>"}) {
    EXPECT_EQ(parse_delete_request(bad).error().code, Errc::kInvalid) << bad;
  }
  EXPECT_EQ(
      parse_delete_request("<Delete><Object><Key>k</Key><VersionId>1</VersionId></Object></Delete>")
          .error()
          .code,
      Errc::kUnsupported);
}

TEST(AwsXml, CompleteRequests) {
  const auto parts = parse_complete_request(
      "<CompleteMultipartUpload><Part><ETag>&quot;abc&quot;</ETag><PartNumber>1</PartNumber></Part>"
      "<Part><PartNumber> 10000 </PartNumber><ETag>\"d\"</ETag></Part></CompleteMultipartUpload>");
  ASSERT_TRUE(parts) << parts.error().message;
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].etag, "abc");
  EXPECT_EQ((*parts)[1].number, 10000);
  for (const char* bad :
       {"", "<CompleteMultipartUpload/>",
        "<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><ETag>a</ETag><PartNumber>0</PartNumber></Part>"
        "</CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><ETag>a</ETag><PartNumber>10001</PartNumber></Part>"
        "</CompleteMultipartUpload>",
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part>"
        "</CompleteMultipartUpload>"}) {
    EXPECT_EQ(parse_complete_request(bad).error().code, Errc::kInvalid) << bad;
  }
}

TEST(AwsXml, WhatIsEscapedReadsBack) {
  const std::vector<std::string> keys = {"a<b>&\"c\"\r", "x'y"};
  EXPECT_EQ(parse_delete_request(delete_xml(keys))->keys, keys);
}

}  // namespace
}  // namespace leat::aws
