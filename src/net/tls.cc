#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>

#include "net/address.h"

namespace leat::net {
namespace {

template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificatePointer = std::unique_ptr<X509, Freer<X509_free>>;
using BioPointer = std::unique_ptr<BIO, Freer<BIO_free_all>>;

/// Newest OpenSSL error as text; leaves its queue empty.
std::string openssl_error() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

BioPointer read_bio(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

bool add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

Result<std::string> alternative_names_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    // The text form is a small language of OpenSSL's: nothing that could leave its name may go in.
    if (name.empty() || name.find_first_of(",;: \n\r") != std::string::npos) {
      if (!parse_ip_address(name))
        return fail(Errc::kInvalid, fmt::format("not a host name: '{}'", name));
    }
    if (!text.empty()) text += ',';
    text += (parse_ip_address(name) ? "IP:" : "DNS:") + name;
  }
  return text;
}

bool fill_certificate(X509* certificate, EVP_PKEY* key, const SelfSignedOptions& options,
                      const std::string& alternative_names) {
  std::array<std::uint8_t, 16> serial{};
  if (RAND_bytes(serial.data(), serial.size()) != 1) return false;
  serial[0] &= 0x7f;  // serial numbers are positive
  const std::unique_ptr<BIGNUM, Freer<BN_free>> number(
      BN_bin2bn(serial.data(), serial.size(), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr)
    return false;

  const std::int64_t from = options.valid_from.value / kUsPerSecond;
  const std::int64_t until = from + std::int64_t{options.valid_days} * 86'400;
  if (ASN1_TIME_set(X509_getm_notBefore(certificate), from) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate), until) == nullptr) {
    return false;
  }
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* common_name = reinterpret_cast<const unsigned char*>(options.common_name.data());
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, common_name,
                                    static_cast<int>(options.common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
         (alternative_names.empty() ||
          add_extension(certificate, NID_subject_alt_name, alternative_names)) &&
         add_extension(certificate, NID_subject_key_identifier, "hash") &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

Result<std::shared_ptr<SSL_CTX>> make_context(const SSL_METHOD* method) {
  // OpenSSL writes with write(2): without this, a peer that has gone would end the process.
  [[maybe_unused]] static const auto kPrevious = std::signal(SIGPIPE, SIG_IGN);
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), &SSL_CTX_free);
  if (!context) return fail(Errc::kBug, "cannot make a TLS context: " + openssl_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

Result<Certificate> make_self_signed_certificate(const SelfSignedOptions& options) {
  if (options.common_name.empty() || options.common_name.size() > 64 || options.valid_days < 1 ||
      options.valid_days > 36'500) {
    return fail(Errc::kInvalid,
                "a certificate needs a common name of 1 to 64 bytes and 1 to 36500 valid days");
  }
  LEAT_ASSIGN(const std::string alternative_names,
              alternative_names_text(options.alternative_names));
  const KeyPointer key(EVP_EC_gen("P-256"));
  const CertificatePointer certificate(X509_new());
  if (!key || !certificate ||
      !fill_certificate(certificate.get(), key.get(), options, alternative_names)) {
    return fail(Errc::kBug, "cannot make a self-signed certificate: " + openssl_error());
  }
  const BioPointer chain(BIO_new(BIO_s_mem()));
  const BioPointer private_key(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(chain.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(private_key.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1) {
    return fail(Errc::kBug, "cannot write a self-signed certificate: " + openssl_error());
  }
  return Certificate{bio_text(chain.get()), bio_text(private_key.get())};
}

Result<TlsContext> TlsContext::for_server(const Certificate& certificate) {
  LEAT_ASSIGN(auto context, make_context(TLS_server_method()));
  const BioPointer chain = read_bio(certificate.chain_pem);
  const CertificatePointer leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context.get(), leaf.get()) != 1) {
    return fail(Errc::kInvalid, "the TLS certificate is not PEM text: " + openssl_error());
  }
  while (X509* link = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context.get(), link) != 1) {
      X509_free(link);
      return fail(Errc::kInvalid, "the TLS certificate chain is not usable: " + openssl_error());
    }
  }
  ERR_clear_error();  // reading past the last certificate leaves "no start line"
  const BioPointer key_text = read_bio(certificate.private_key_pem);
  const KeyPointer key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
  if (!key) {
    return fail(Errc::kInvalid,
                "the TLS private key is not unencrypted PEM text: " + openssl_error());
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return fail(Errc::kInvalid,
                "the TLS private key does not belong to the certificate: " + openssl_error());
  }
  return TlsContext(std::move(context));
}

Result<TlsContext> TlsContext::for_client(std::string_view trusted_pem) {
  LEAT_ASSIGN(auto context, make_context(TLS_client_method()));
  if (trusted_pem.empty()) return TlsContext(std::move(context));
  const BioPointer text = read_bio(trusted_pem);
  int count = 0;
  while (X509* read = PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)) {
    const CertificatePointer trusted(read);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), trusted.get());
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return fail(Errc::kInvalid, "no trusted certificate in the PEM text");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return TlsContext(std::move(context));
}

}  // namespace leat::net
