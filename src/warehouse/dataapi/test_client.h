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
  };

  [[nodiscard]] io::HttpResponse send(const Request& request) const {
    const std::string hash = to_hex(sha256(request.body));
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
    io::HttpRequest http;
    http.method = request.method;
    http.url = url_ + request.path + (request.query.empty() ? "" : "?" + request.query);
    http.body = request.body;
    http.direct = true;
    http.timeout_us = 60 * kUsPerSecond;
    http.headers = {{"x-amz-content-sha256", hash},
                    {"X-Amz-Date", signature.amz_date},
                    {"Authorization", signature.authorization}};
    for (const auto& [name, value] : request.headers) http.headers.push_back({name, value});
    auto answer = http_->send(http);
    if (!answer) return {.status = 0, .headers = {}, .body = answer.error().message};
    return std::move(*answer);
  }

  [[nodiscard]] io::HttpResponse data(std::string_view operation, std::string body) const {
    return send({.service = "redshift-data",
                 .headers = {{"Content-Type", "application/x-amz-json-1.1"},
                             {"X-Amz-Target", "RedshiftData." + std::string(operation)}},
                 .body = std::move(body)});
  }

 private:
  std::string url_;
  aws::Secret secret_;
  std::unique_ptr<io::HttpClient> http_;
};

}  // namespace leat::dataapi
