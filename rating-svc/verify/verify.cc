#include "rating-svc/verify/verify.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/wire/scheme_text.h"
#include "rating-svc/verify/issues.h"
#include "rating-svc/verify/proofs.h"
#include "rating-svc/verify/resolve.h"

namespace starratings::verify {
namespace {

// Parses `text`, noting what it is called. Returns false if it is no scheme.
bool Parse(absl::string_view text, scheme::v1::Scheme& message,
           google::protobuf::TextFormat::ParseInfoTree& tree, Issues& issues,
           Verification& verification) {
  if (text.size() > kTextMost) {
    issues.Add("LIMIT_EXCEEDED", "", 0,
               absl::StrCat("the text has ", text.size(), " bytes; at most ", kTextMost));
    return false;
  }
  for (const wire::TextIssue& issue : wire::ParseText(text, message, &tree)) {
    issues.Add("TEXT_SYNTAX", "", issue.line,
               absl::StrCat("column ", issue.column, ": ", issue.message));
  }
  if (!issues.empty()) return false;
  verification.id = message.id();
  verification.version = message.version();
  const auto digest = wire::SchemeDigest(message);
  if (digest.ok()) {
    verification.digest = digest::ToHex(*digest);
  } else {
    issues.Add("TEXT_SYNTAX", "", 0, digest.status().message());
  }
  return digest.ok();
}

}  // namespace

Verification Verify(absl::string_view text) {
  Verification verification;
  Issues issues;
  scheme::v1::Scheme message;
  google::protobuf::TextFormat::ParseInfoTree tree;
  if (Parse(text, message, tree, issues, verification)) {
    Draft draft = Resolve(message, Place(message.GetDescriptor(), &tree), issues);
    // A hole in a table is not in the way of other proofs about tables.
    const bool total = issues.empty();
    if (issues.OnlyTables() && Order(draft, issues)) {
      ProveTables(draft, issues, verification.report);
      if (total) ProveWhole(draft, issues, verification.report);
    }
    if (issues.empty()) {
      CountCells(draft, verification.report);
      draft.scheme.text = std::string(text);
      draft.scheme.digest = verification.digest;
      verification.scheme = std::make_shared<const scheme::Scheme>(std::move(draft.scheme));
    }
  }
  verification.issues = issues.Take();
  return verification;
}

}  // namespace starratings::verify
