#include "assessment-svc/service/imports.h"

#include <utility>

#include "absl/time/clock.h"
#include "common/serving/log.h"

namespace starratings::service {
namespace {

constexpr absl::Duration kWriteEvery = absl::Seconds(5);

void LogIfError(const absl::Status& status) {
  if (status.ok()) return;
  serving::LogError("an import under way could not be noted",
                    {{"error", std::string(status.message())}});
}

}  // namespace

ImportNotes::ImportNotes(store::EvidenceStore& store, std::string actor,
                         const assessment::v1::IngestEvidenceRequest::Begin& begin)
    : store_(store) {
  note_.id = begin.import_id();
  note_.actor = std::move(actor);
  note_.title = begin.title();
  note_.items = begin.items_before();
  note_.items_total = begin.items_total();
}

void ImportNotes::Add(int64_t items, absl::Time deadline) {
  note_.items += items;
  if (absl::Now() - written_at_ >= kWriteEvery) Write(deadline);
}

void ImportNotes::Write(absl::Time deadline) {
  written_at_ = absl::Now();
  note_.seen_us = absl::ToUnixMicros(written_at_);
  LogIfError(store_.NoteImport(note_, deadline));
}

void ImportNotes::End(absl::Time deadline) { LogIfError(store_.ForgetImport(note_.id, deadline)); }

absl::StatusOr<std::vector<store::ImportNote>> ImportsUnderWay(const store::EvidenceStore& store,
                                                               absl::Time deadline) {
  return store.ListImports(absl::ToUnixMicros(absl::Now() - kImportSilentMost), deadline);
}

}  // namespace starratings::service
