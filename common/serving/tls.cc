#include "common/serving/tls.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace starratings::serving {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

absl::Status Fault(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat("--tls_directory: ", path, " ", what));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in || text.str().empty()) return Fault(path, "cannot be read");
  return text.str();
}

std::unique_ptr<X509, Free> ParseCertificate(const std::string& pem) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return std::unique_ptr<X509, Free>(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<KeyMaterial> ReadKeyMaterial(const std::string& directory, absl::Time now) {
  KeyMaterial material;
  ASSIGN_OR_RETURN(material.certificate, ReadFile(directory + "/tls.crt"));
  ASSIGN_OR_RETURN(material.key, ReadFile(directory + "/tls.key"));
  ASSIGN_OR_RETURN(material.authority, ReadFile(directory + "/ca.crt"));
  const auto certificate = ParseCertificate(material.certificate);
  if (certificate == nullptr) return Fault(directory + "/tls.crt", "is not a certificate in PEM");
  if (ParseCertificate(material.authority) == nullptr) {
    return Fault(directory + "/ca.crt", "is not a certificate in PEM");
  }
  const std::unique_ptr<BIO, Free> bio(
      BIO_new_mem_buf(material.key.data(), static_cast<int>(material.key.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return Fault(directory + "/tls.key", "is not a private key in PEM");
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return Fault(directory + "/tls.key", "does not belong to tls.crt");
  }
  material.not_after = TimeOf(X509_get0_notAfter(certificate.get()));
  if (material.not_after < now) {
    return Fault(directory + "/tls.crt",
                 absl::StrCat("has expired: it was good until ",
                              absl::FormatTime(material.not_after, absl::UTCTimeZone())));
  }
  if (const absl::Time from = TimeOf(X509_get0_notBefore(certificate.get())); from > now) {
    return Fault(directory + "/tls.crt",
                 absl::StrCat("is not good before ", absl::FormatTime(from, absl::UTCTimeZone())));
  }
  return material;
}

}  // namespace starratings::serving
