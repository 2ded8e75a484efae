#include "assessment-svc/service/register_cache.h"

#include <utility>

#include "common/status/status_macros.h"

namespace starratings::service {

absl::StatusOr<RegisterCache::View> RegisterCache::Look(
    const absl::flat_hash_set<std::string>& organisations, bool fresh, absl::Time deadline) {
  View view;
  std::vector<std::string> unknown;
  {
    const std::lock_guard lock(mutex_);
    fresh = fresh || registered_ == nullptr;
    if (!fresh) {
      view.registered = registered_;
      view.revision = revision_;
      for (const std::string& id : organisations) {
        if (!organisations_.contains(id)) unknown.push_back(id);
      }
    }
  }
  view.fresh = fresh;
  if (fresh) {
    RETURN_IF_ERROR(Refresh(deadline));
    const std::lock_guard lock(mutex_);
    view.registered = registered_;
    view.revision = revision_;
    unknown.assign(organisations.begin(), organisations.end());
  }
  if (unknown.empty()) return view;

  ASSIGN_OR_RETURN(std::vector<std::string> found,
                   store_.FindOrganisations(unknown, view.revision, deadline));
  view.strangers.insert(unknown.begin(), unknown.end());
  for (const std::string& id : found) view.strangers.erase(id);
  const std::lock_guard lock(mutex_);
  if (organisations_.size() + found.size() > kIdsMost) organisations_.clear();
  for (std::string& id : found) organisations_.insert(std::move(id));
  return view;
}

void RegisterCache::Forget() {
  const std::lock_guard lock(mutex_);
  registered_ = nullptr;
}

std::optional<RegisterCache::View> RegisterCache::Peek(
    const absl::flat_hash_set<std::string>& organisations) {
  const std::lock_guard lock(mutex_);
  if (registered_ == nullptr) return std::nullopt;
  for (const std::string& id : organisations) {
    if (!organisations_.contains(id)) return std::nullopt;
  }
  View view;
  view.registered = registered_;
  view.revision = revision_;
  return view;
}

absl::Status RegisterCache::Refresh(absl::Time deadline) {
  ASSIGN_OR_RETURN(const int64_t head, store_.Head(deadline));
  auto registered = std::make_shared<intake::Register>();
  ASSIGN_OR_RETURN(const auto periods, store_.ReadPeriods(head, deadline));
  for (const evidence::Period& period : periods) registered->periods.insert(period.id);
  ASSIGN_OR_RETURN(auto codes, store_.ReadCodes(head, deadline));
  for (store::RegisteredCode& code : codes) {
    std::string id = code.code.id;
    registered->codes.emplace(std::move(id), std::move(code.code));
  }
  const std::lock_guard lock(mutex_);
  if (registered_ != nullptr && head < revision_) return absl::OkStatus();
  registered_ = std::move(registered);
  revision_ = head;  // Whoever was registered before still is.
  return absl::OkStatus();
}

}  // namespace starratings::service
