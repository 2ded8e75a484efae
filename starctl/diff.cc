#include "starctl/diff.h"

#include <set>
#include <utility>

namespace starratings::starctl {
namespace {

bool IsWithdrawn(const Statement& statement) {
  const evidence::v1::Value& value = statement.said.item().value();
  return value.value_case() == evidence::v1::Value::kMissing &&
         value.missing() == evidence::v1::MISSING_REASON_WITHDRAWN;
}

bool SaySame(const Statement& a, const Statement& b) {
  return a.said.item().observed_on() == b.said.item().observed_on() &&
         a.said.item().override().SerializeAsString() ==
             b.said.item().override().SerializeAsString() &&
         a.said.item().value().SerializeAsString() == b.said.item().value().SerializeAsString();
}

}  // namespace

Diff::Key Diff::KeyOf(const evidence::v1::EvidenceItem& item) {
  return {item.organisation(), item.period(), item.code(), item.instance()};
}

void Diff::Said(Statement statement) {
  const auto place = folds_.find(KeyOf(statement.said.item()));
  if (place == folds_.end()) {
    Key key = KeyOf(statement.said.item());
    folds_.emplace(std::move(key), Fold{std::nullopt, std::move(statement)});
    return;
  }
  Fold& fold = place->second;
  // No write says two things of one item.
  if (statement.said.revision() <= fold.after.said.revision()) return;
  fold.varied = fold.varied || !SaySame(fold.after, statement);
  fold.after = std::move(statement);
  ++fold.statements;
}

std::vector<std::string> Diff::Organisations() const {
  std::set<std::string> organisations;
  for (const auto& [key, fold] : folds_) organisations.insert(std::get<0>(key));
  return {organisations.begin(), organisations.end()};
}

std::vector<std::string> Diff::Codes() const {
  std::set<std::string> codes;
  for (const auto& [key, fold] : folds_) codes.insert(std::get<2>(key));
  return {codes.begin(), codes.end()};
}

void Diff::Held(Statement statement) {
  const auto place = folds_.find(KeyOf(statement.said.item()));
  if (place != folds_.end()) place->second.before = std::move(statement);
}

Change::Kind Diff::KindOf(const Fold& fold) {
  if (fold.before && SaySame(*fold.before, fold.after)) {
    return fold.varied ? Change::Kind::kChangedBack : Change::Kind::kSaidAgain;
  }
  if (IsWithdrawn(fold.after)) return Change::Kind::kWithdrawn;
  return fold.before ? Change::Kind::kChanged : Change::Kind::kAdded;
}

std::vector<Change> Diff::Changes() const {
  std::vector<Change> changes;
  changes.reserve(folds_.size());
  for (const auto& [key, fold] : folds_) {
    changes.push_back({KindOf(fold), fold.before, fold.after, fold.statements});
  }
  return changes;
}

const char* NameOf(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::kAdded:
      return "added";
    case Change::Kind::kChanged:
      return "changed";
    case Change::Kind::kWithdrawn:
      return "withdrawn";
    case Change::Kind::kChangedBack:
      return "changed back";
    case Change::Kind::kSaidAgain:
      return "said again";
  }
  return "";
}

}  // namespace starratings::starctl
