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

// What the declared principles would leave of each table.
void NoteAllowed(Draft& draft) {
  for (size_t i = 0; i < draft.scheme.matrices.size(); ++i) {
    scheme::Matrix& matrix = draft.scheme.matrices[i];
    const int scale = draft.scheme.values[static_cast<size_t>(matrix.output)].scale;
    const size_t levels = draft.scheme.scales[static_cast<size_t>(scale)].levels.size();
    const Bounds bounds = BoundsOf(draft, static_cast<int>(i));
    bool narrower = false;
    std::vector<std::pair<uint8_t, uint8_t>> allowed;
    for (size_t cell = 0; cell < matrix.cells.size(); ++cell) {
      allowed.emplace_back(bounds.lowest[cell], bounds.highest[cell]);
      // A documented cell bounds itself: that is no principle.
      const bool documented = matrix.rows[matrix.row_of[cell]].basis == scheme::Basis::kDocumented;
      narrower =
          narrower ||
          (!documented && (bounds.lowest[cell] > 0 || bounds.highest[cell] + size_t{1} < levels));
    }
    if (narrower) matrix.allowed = std::move(allowed);
  }
}

// The cuts that the proofs used are nobody's: a cohort gives others.
void Unbind(scheme::Scheme& scheme) {
  for (scheme::Band& band : scheme.bands) {
    if (band.quantiles >= 0) band.cuts.clear();
  }
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
    const bool ordered = issues.OnlyTables() && Order(draft, issues);
    if (ordered) CheckTiers(draft, issues);
    if (ordered && issues.OnlyTables()) {
      ProveTables(draft, issues, verification.report);
      if (total) ProveWhole(draft, issues, verification.report);
    }
    if (issues.empty()) {
      CountCells(draft, verification.report);
      NoteAllowed(draft);
      Unbind(draft.scheme);
      draft.scheme.text = std::string(text);
      draft.scheme.digest = verification.digest;
      verification.scheme = std::make_shared<const scheme::Scheme>(std::move(draft.scheme));
    }
  }
  verification.issues = issues.Take();
  return verification;
}

}  // namespace starratings::verify
