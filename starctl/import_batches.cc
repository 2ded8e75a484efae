#include "starctl/import_batches.h"

#include <cassert>
#include <map>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/wire/canonical_message.h"
#include "starctl/words.h"

namespace starratings::starctl {
namespace {

// What a field of a repeated message costs beyond its own bytes.
constexpr size_t kOverhead = 8;

// Fills one batch after another.
class Packer {
 public:
  Packer(size_t items_most, absl::string_view reason) : items_most_(items_most), reason_(reason) {}

  void Add(ImportItem item) {
    // As in the request: ids are at most `s` and five digits.
    const size_t item_bytes = item.item.ByteSizeLong() + 2 * kOverhead + 8;
    const size_t source_bytes = item.source.ByteSizeLong() + kOverhead + 8;
    if (!batches_.empty() && !Fits(item_bytes + source_bytes)) batches_.emplace_back();
    if (batches_.empty()) batches_.emplace_back();
    Batch& batch = batches_.back();
    if (batch.lines.empty()) {
      sources_.clear();
      bytes_ = 0;
      batch.request.set_reason(std::string(reason_));
    }
    auto& submitted = *batch.request.add_items();
    *submitted.mutable_item() = std::move(item.item);
    submitted.mutable_item()->set_source_id(SourceIdOf(item.source, source_bytes));
    batch.lines.push_back(item.line);
    bytes_ += item_bytes;
  }

  std::vector<Batch> Take() { return std::move(batches_); }

 private:
  bool Fits(size_t bytes) const {
    return batches_.back().lines.size() < items_most_ && bytes_ + bytes <= kBatchBytesMost;
  }

  std::string SourceIdOf(const evidence::v1::Source& source, size_t bytes) {
    auto& request = batches_.back().request;
    const auto [known, fresh] = sources_.try_emplace(
        std::make_tuple(source.title(), source.uri(), source.sha256(), source.reconstructed()));
    if (fresh) {
      auto& added = *request.add_sources();
      added = source;
      known->second = absl::StrCat("s", request.sources_size());
      added.set_id(known->second);
      bytes_ += bytes;
    }
    return known->second;
  }

  const size_t items_most_;
  const absl::string_view reason_;
  std::vector<Batch> batches_;
  size_t bytes_ = 0;  // Of the last batch.
  std::map<std::tuple<std::string, std::string, std::string, bool>, std::string> sources_;
};

}  // namespace

std::vector<Batch> MakeBatches(std::vector<ImportItem> items, size_t items_most,
                               absl::string_view reason, absl::string_view file_sha256) {
  assert(items_most >= 1 && items_most <= kItemsMost);
  Packer packer(items_most, reason);
  for (ImportItem& item : items) packer.Add(std::move(item));
  std::vector<Batch> batches = packer.Take();
  for (size_t i = 0; i < batches.size(); ++i) {
    // The content stands beside the file's hash: the same file may be read with
    // another mapping, or for another reason, and is then another request.
    const auto content = wire::CanonicalBytes(batches[i].request);
    assert(content.ok());
    batches[i].request.set_request_id(
        UuidOf(absl::StrCat("starctl import 1\n", file_sha256, "\n", i, "\n", *content)));
  }
  return batches;
}

std::string PointToLines(absl::string_view text, absl::string_view file,
                         const std::vector<int>& lines) {
  constexpr absl::string_view kItems = "items[";
  std::string out;
  while (true) {
    const size_t begin = text.find(kItems);
    if (begin == absl::string_view::npos) break;
    const size_t close = text.find(']', begin);
    size_t index = 0;
    if (close == absl::string_view::npos ||
        !absl::SimpleAtoi(text.substr(begin + kItems.size(), close - begin - kItems.size()),
                          &index) ||
        index >= lines.size()) {
      absl::StrAppend(&out, text.substr(0, begin + kItems.size()));
      text.remove_prefix(begin + kItems.size());
      continue;
    }
    absl::StrAppend(&out, text.substr(0, begin), file, ":", lines[index]);
    text.remove_prefix(close + 1);
    // `items[3].item.value.level` is the column `value.level`.
    for (const absl::string_view inner : {".item.", "."}) {
      if (absl::StartsWith(text, inner)) {
        absl::StrAppend(&out, ": ");
        text.remove_prefix(inner.size());
        break;
      }
    }
  }
  absl::StrAppend(&out, text);
  return out;
}

absl::Status PointToLines(const absl::Status& error, absl::string_view file,
                          const std::vector<int>& lines) {
  if (error.ok()) return error;
  status::ErrorDetail detail = status::DetailOf(error);
  for (status::FieldViolation& field : detail.fields) {
    field.field = PointToLines(field.field, file, lines);
    field.rule = PointToLines(field.rule, file, lines);
  }
  return status::ErrorWithDetail(error.code(), PointToLines(error.message(), file, lines), detail);
}

}  // namespace starratings::starctl
