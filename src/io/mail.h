// Sends e-mail through an SMTP server, by libcurl.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace leat::io {

/// How to reach the server. The password is never part of a message.
struct MailServer {
  /// smtps://HOST:PORT (TLS from the first byte) or smtp://HOST:PORT, where STARTTLS is demanded
  /// unless the host is an address of this machine. Certificates are verified.
  std::string url = {};
  std::string user = {};  ///< Empty: no login.
  std::string password = {};
  std::string ca_bundle = {};  ///< PEM file of trusted certificates; empty: the system's.
  std::int64_t timeout_us = 30 * kUsPerSecond;
};

struct Mail {
  std::string from = {};
  std::vector<std::string> to = {};
  std::string subject = {};  ///< UTF-8, one line.
  std::string text = {};     ///< UTF-8.
  TimeUs date = {};
};

/// The message as it is sent: headers and the text in base64. Pure; any thread.
[[nodiscard]] std::string mail_text(const Mail& mail);

/// Sends it and waits for the server's acceptance. Errors: kInvalid (an address that is none, no
/// receiver), kDenied (login or certificate refused), kUnavailable (all else: try again), kAborted
/// (stopped). Any thread.
[[nodiscard]] Status send_mail(const MailServer& server, const Mail& mail, std::stop_token stop);

}  // namespace leat::io
