// A signing client for the module's tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/digest.h"
#include "io/http_client.h"

namespace leat::dataapi {

class TestClient {
 public:
  TestClient(std::string url, aws::Secret secret)
      : url_(std::move(url)), secret_(std::move(secret)) {
    auto opened = io::HttpClient::open({});
    if (opened) http_ = std::move(*opened);
  }

  TimeUs now = system_clock().now();

  struct Request {
    std::string method = "POST";
    std::string path = "/";
    std::string query{};
    std::string service{};
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string body{};
    std::string payload_hash{};  ///< Empty: that of the body.
    bool presigned = false;      ///< Signed in the query, for a minute.
  };

  [[nodiscard]] io::HttpResponse send(const Request& request) const {
    if (request.presigned) return send_presigned(request);
    const std::string hash =
        request.payload_hash.empty() ? to_hex(sha256(request.body)) : request.payload_hash;
    const std::string host = url_.substr(url_.find("//") + 2);
    std::vector<aws::HeaderView> to_sign{{"Host", host}, {"x-amz-content-sha256", hash}};
    for (const auto& [name, value] : request.headers) to_sign.push_back({name, value});
    const bool s3 = request.service == "s3";
    const aws::Signature signature = aws::sign_headers(
        secret_,
        {.method = request.method,
         .path = request.path,
         .query = request.query,
         .headers = to_sign,
         .payload_hash = hash},
        {.region = "us-east-1",
         .service = request.service,
         .time = now,
         .path_rule = s3 ? aws::PathRule::kAsOnTheWire : aws::PathRule::kNormalized});
    return exchange(request, request.query,
                    {{"x-amz-content-sha256", hash},
                     {"X-Amz-Date", signature.amz_date},
                     {"Authorization", signature.authorization}});
  }

  /// Without a signature.
  [[nodiscard]] io::HttpResponse send_unsigned(const Request& request) const {
    return exchange(request, request.query, {});
  }

  [[nodiscard]] io::HttpResponse data(std::string_view operation, std::string body) const {
    return send({.service = "redshift-data",
                 .headers = {{"Content-Type", "application/x-amz-json-1.1"},
                             {"X-Amz-Target", "RedshiftData." + std::string(operation)}},
                 .body = std::move(body)});
  }

 private:
  [[nodiscard]] io::HttpResponse send_presigned(const Request& request) const {
    const std::string host = url_.substr(url_.find("//") + 2);
    const std::vector<aws::HeaderView> to_sign{{"Host", host}};
    const std::string query = aws::presign_query(secret_,
                                                 {.method = request.method,
                                                  .path = request.path,
                                                  .query = request.query,
                                                  .headers = to_sign,
                                                  .payload_hash = aws::kUnsignedPayload},
                                                 {.region = "us-east-1",
                                                  .service = request.service,
                                                  .time = now,
                                                  .path_rule = aws::PathRule::kAsOnTheWire},
                                                 60);
    return exchange(request, query, {});
  }

  [[nodiscard]] io::HttpResponse exchange(const Request& request, const std::string& query,
                                          decltype(io::HttpRequest::headers) headers) const {
    io::HttpRequest http;
    http.method = request.method;
    http.url = url_ + request.path + (query.empty() ? "" : "?" + query);
    http.body = request.body;
    http.direct = true;
    http.timeout_us = 60 * kUsPerSecond;
    http.headers = std::move(headers);
    for (const auto& [name, value] : request.headers) http.headers.push_back({name, value});
    auto answer = http_->send(http);
    if (!answer) return {.status = 0, .headers = {}, .body = answer.error().message};
    return std::move(*answer);
  }

  std::string url_;
  aws::Secret secret_;
  std::unique_ptr<io::HttpClient> http_;
};

}  // namespace leat::dataapi
