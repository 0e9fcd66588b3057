// What the history may show of a statement.
#include <string>
#include <string_view>

#include "base/text.h"
#include "warehouse/session/session_state.h"

namespace leat::session {
namespace {

constexpr std::size_t kTextBytesMax = 4000;
constexpr std::string_view kHidden = "***";

void hide(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kHidden.size())) {
    text.replace(at, secret.size(), kHidden);
  }
}

void hide_credentials(std::string& text, const sql::Credentials& credentials,
                      std::string_view symmetric_key) {
  hide(text, credentials.secret_access_key);
  hide(text, credentials.session_token);
  hide(text, credentials.credentials);
  hide(text, symmetric_key);
}

}  // namespace

std::string history_text(const sql::Statement& statement, std::string_view written) {
  // A password may be written with escapes, so that its decoded form does not occur in the text:
  // the text is replaced.
  if (const auto* create = sql::get_if<sql::CreateUserStatement>(statement)) {
    return "CREATE USER " + create->name + (create->options.password ? " PASSWORD '***'" : "");
  }
  if (const auto* alter = sql::get_if<sql::AlterUserStatement>(statement)) {
    return "ALTER USER " + alter->name + (alter->options.password ? " PASSWORD '***'" : "");
  }
  std::string text(written);
  if (const auto* copy = sql::get_if<sql::CopyStatement>(statement)) {
    hide_credentials(text, copy->credentials, copy->master_symmetric_key);
    if (copy->credentials.credentials.contains("secret"))
      text = "COPY (text hidden: it holds credentials)";
  }
  if (const auto* unload = sql::get_if<sql::UnloadStatement>(statement)) {
    hide_credentials(text, unload->credentials, unload->master_symmetric_key);
    if (unload->credentials.credentials.contains("secret"))
      text = "UNLOAD (text hidden: it holds credentials)";
  }
  return std::string(utf8_prefix(text, kTextBytesMax));
}

}  // namespace leat::session
