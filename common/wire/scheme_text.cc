#include "common/wire/scheme_text.h"

#include "absl/strings/str_cat.h"
#include "common/status/field_errors.h"
#include "common/wire/canonical_message.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace starratings::wire {
namespace {

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    issues.push_back({line + 1, column + 1, message});
  }
  // A warning in protobuf's eyes is a mistake in ours.
  void AddWarning(int line, google::protobuf::io::ColumnNumber column,
                  const std::string& message) override {
    AddError(line, column, message);
  }

  std::vector<TextIssue> issues;
};

}  // namespace

std::vector<TextIssue> ParseText(absl::string_view text, google::protobuf::Message& message,
                                 google::protobuf::TextFormat::ParseInfoTree* tree) {
  Collector collector;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.SetRecursionLimit(20);
  if (tree != nullptr) parser.WriteLocationsTo(tree);
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&input, &message) && collector.issues.empty()) {
    collector.issues.push_back({1, 1, "is not textproto"});
  }
  return collector.issues;
}

absl::StatusOr<scheme::v1::Scheme> ParseScheme(absl::string_view text) {
  scheme::v1::Scheme scheme;
  status::FieldErrors errors;
  for (const TextIssue& issue : ParseText(text, scheme)) {
    errors.Add(absl::StrCat("line ", issue.line, ", column ", issue.column), issue.message);
  }
  if (errors.empty() && scheme.id().empty()) errors.Add("id", "must be given");
  if (errors.empty() && scheme.version().empty()) errors.Add("version", "must be given");
  if (!errors.empty()) return errors.ToStatus();
  return scheme;
}

absl::StatusOr<digest::Digest> SchemeDigest(const scheme::v1::Scheme& scheme) {
  return CanonicalDigest(scheme);
}

std::string SchemeName(const scheme::v1::Scheme& scheme) {
  return absl::StrCat(scheme.id(), "@", scheme.version());
}

}  // namespace starratings::wire
