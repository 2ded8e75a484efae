#include "starctl/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/status_macros.h"

namespace starratings::starctl {
namespace {

constexpr long kYear = 365L * 24 * 60 * 60;
constexpr long kHour = 60L * 60;
constexpr int kSerialBytes = 16;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

absl::Status Failure(absl::string_view what) {
  const unsigned long code = ERR_get_error();
  char text[256] = "no reason given";
  if (code != 0) ERR_error_string_n(code, text, sizeof(text));
  return absl::InternalError(absl::StrCat("OpenSSL: ", what, ": ", text));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(length));
}

absl::StatusOr<Credentials> ToPem(X509* certificate, EVP_PKEY* key) {
  const Owned<BIO> certificate_text(BIO_new(BIO_s_mem()));
  const Owned<BIO> key_text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_text.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return Failure("writing PEM");
  }
  return Credentials{TextOf(certificate_text.get()), TextOf(key_text.get())};
}

absl::Status AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return Failure(absl::StrCat("extension ", value));
  }
  return absl::OkStatus();
}

absl::Status SetSerial(X509* certificate) {
  unsigned char bytes[kSerialBytes];
  if (RAND_bytes(bytes, kSerialBytes) != 1) return Failure("random serial");
  bytes[0] &= 0x7f;  // Positive.
  bytes[0] |= 0x40;  // Not empty.
  const Owned<BIGNUM> number(BN_bin2bn(bytes, kSerialBytes, nullptr));
  if (number == nullptr ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return Failure("serial");
  }
  return absl::OkStatus();
}

// A certificate without extensions and signature.
absl::StatusOr<Owned<X509>> NewCertificate(const std::string& name, EVP_PKEY* key) {
  Owned<X509> certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), 2) != 1) {
    return Failure("new certificate");
  }
  RETURN_IF_ERROR(SetSerial(certificate.get()));
  // An hour ago: clocks of containers and their hosts differ.
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kYear);
  X509_NAME* const subject = X509_get_subject_name(certificate.get());
  if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                 0) != 1 ||
      X509_set_pubkey(certificate.get(), key) != 1) {
    return Failure(absl::StrCat("certificate of ", name));
  }
  return certificate;
}

// What a certificate is good for besides its name.
std::string NamesOf(const Identity& identity) {
  std::vector<std::string> names = {absl::StrCat("URI:", identity.uri)};
  for (const std::string& name : identity.dns_names) names.push_back(absl::StrCat("DNS:", name));
  if (identity.loopback) {
    names.push_back("IP:127.0.0.1");
    names.push_back("IP:::1");
  }
  return absl::StrJoin(names, ",");
}

}  // namespace

Authority::~Authority() {
  X509_free(certificate_);
  EVP_PKEY_free(key_);
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::Create() {
  std::unique_ptr<Authority> authority(new Authority());
  authority->key_ = EVP_EC_gen("P-256");
  if (authority->key_ == nullptr) return Failure("new key");
  ASSIGN_OR_RETURN(auto certificate,
                   NewCertificate("Star Ratings development authority", authority->key_));
  X509* const own = certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  RETURN_IF_ERROR(AddExtension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  RETURN_IF_ERROR(AddExtension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign"));
  RETURN_IF_ERROR(AddExtension(own, own, NID_subject_key_identifier, "hash"));
  if (X509_sign(own, authority->key_, EVP_sha256()) == 0) return Failure("signing");
  authority->certificate_ = certificate.release();
  ASSIGN_OR_RETURN(authority->credentials_, ToPem(authority->certificate_, authority->key_));
  return authority;
}

absl::StatusOr<Credentials> Authority::Issue(const Identity& identity) const {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failure("new key");
  ASSIGN_OR_RETURN(const auto certificate, NewCertificate(identity.folder, key.get()));
  X509* const own = certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(certificate_));
  RETURN_IF_ERROR(AddExtension(own, certificate_, NID_basic_constraints, "critical,CA:FALSE"));
  RETURN_IF_ERROR(AddExtension(own, certificate_, NID_key_usage, "critical,digitalSignature"));
  RETURN_IF_ERROR(AddExtension(own, certificate_, NID_ext_key_usage, "serverAuth,clientAuth"));
  RETURN_IF_ERROR(AddExtension(own, certificate_, NID_subject_alt_name, NamesOf(identity)));
  RETURN_IF_ERROR(AddExtension(own, certificate_, NID_authority_key_identifier, "keyid"));
  if (X509_sign(own, key_, EVP_sha256()) == 0) return Failure("signing");
  return ToPem(own, key.get());
}

}  // namespace starratings::starctl
