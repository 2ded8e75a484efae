#include "starctl/tally.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

using rating::v1::Rating;
using rating::v1::Summary;

absl::Status NotWhole(absl::string_view what) {
  return status::Error(absl::StatusCode::kDataLoss, "ROUND_NOT_WHOLE",
                       absl::StrCat("the ratings that came are no round: ", what));
}

// The place of `id` among `ids`, where it is put if it is new.
size_t PlaceOf(const std::string& id, std::vector<std::string>& ids) {
  const auto place = std::find(ids.begin(), ids.end(), id);
  if (place != ids.end()) return static_cast<size_t>(place - ids.begin());
  ids.push_back(id);
  return ids.size() - 1;
}

// That all parts speak of the same.
absl::Status CheckSame(const Part& first, const Part& part) {
  const auto differ = [&](absl::string_view what, const std::string& a, const std::string& b) {
    return BadFile(part.name,
                   absl::StrCat("has another ", what, " than ", first.name, ": ", b, ", not ", a));
  };
  const Summary& a = first.summary;
  const Summary& b = part.summary;
  if (a.round() != b.round()) return differ("round", a.round(), b.round());
  if (a.scheme().digest() != b.scheme().digest()) {
    return differ("scheme", a.scheme().digest(), b.scheme().digest());
  }
  // A shard of nobody was read at no revision.
  if (a.count() > 0 && b.count() > 0 && a.snapshot().token() != b.snapshot().token()) {
    return differ("revision", absl::StrCat(a.snapshot().revision()),
                  absl::StrCat(b.snapshot().revision()));
  }
  return absl::OkStatus();
}

// That a part is a shard, and its buckets are those of the shard; appends them.
absl::Status TakeBuckets(const Part& part, std::vector<digest::BucketDigest>& buckets) {
  const evidence::v1::Shard& shard = part.summary.shard();
  const bool valid = shard.count() >= 1 && shard.count() <= digest::kBuckets &&
                     shard.index() >= 0 && shard.index() < shard.count();
  if (!valid) return BadFile(part.name, "is no part of a round: it has no shard");
  const auto [first, end] = digest::BucketsOfShard(shard.index(), shard.count());
  int last = first - 1;
  for (const rating::v1::BucketDigest& bucket : part.summary.buckets()) {
    const absl::StatusOr<digest::Digest> digest = digest::FromHex(bucket.digest());
    if (!digest.ok() || bucket.bucket() <= last || bucket.bucket() >= end) {
      return BadFile(part.name, absl::StrCat("has a bucket that is not its shard's, is out of "
                                             "order or has no digest: ",
                                             bucket.bucket()));
    }
    last = bucket.bucket();
    buckets.push_back({bucket.bucket(), *digest});
  }
  return absl::OkStatus();
}

// Adds up counts of what is the same but for the count.
template <typename List>
void MergeCounts(const List& from, List& into) {
  for (const auto& one : from) {
    auto blank = one;
    blank.set_count(0);
    const auto same = std::find_if(into.begin(), into.end(), [&blank](auto other) {
      other.set_count(0);
      return other.SerializeAsString() == blank.SerializeAsString();
    });
    auto& sum = same != into.end() ? *same : *into.Add();
    const int64_t before = same != into.end() ? sum.count() : 0;
    sum = one;
    sum.set_count(before + one.count());
  }
}

}  // namespace

absl::Status Tally::Add(const Rating& rating) {
  const absl::StatusOr<digest::Digest> digest = digest::FromHex(rating.digest());
  if (!digest.ok()) return NotWhole(rating.organisation() + " has no digest");
  std::pair<int, std::string> place(digest::BucketOf(rating.organisation()), rating.organisation());
  if (place <= last_) return NotWhole(rating.organisation() + " is out of order");
  last_ = std::move(place);
  digester_.Add(rating.organisation(), *digest);
  for (const auto& result : rating.results()) {
    const size_t at = PlaceOf(result.id(), results_);
    const std::string reason = result.has_not_rated() ? result.not_rated().reason() : "";
    ++outcomes_[{at, result.level(), reason}];
  }
  for (const auto& decision : rating.decisions()) {
    ++moves_[{PlaceOf(decision.id(), decisions_), decision.move()}];
  }
  return absl::OkStatus();
}

Summary Tally::Finish() {
  Summary summary;
  summary.set_count(digester_.count());
  summary.set_round_digest(digest::ToHex(digester_.Finish()));
  for (const digest::BucketDigest& bucket : digester_.buckets()) {
    rating::v1::BucketDigest& out = *summary.add_buckets();
    out.set_bucket(bucket.bucket);
    out.set_digest(digest::ToHex(bucket.digest));
  }
  for (const auto& [outcome, count] : outcomes_) {
    rating::v1::Tally& tally = *summary.add_tallies();
    tally.set_result(results_[std::get<0>(outcome)]);
    tally.set_level(std::get<1>(outcome));
    tally.set_not_rated(std::get<2>(outcome));
    tally.set_count(count);
  }
  for (const auto& [move, count] : moves_) {
    rating::v1::MoveTally& tally = *summary.add_moves();
    tally.set_decision(decisions_[move.first]);
    tally.set_move(static_cast<rating::v1::Move>(move.second));
    tally.set_count(count);
  }
  return summary;
}

absl::StatusOr<Summary> AddUp(const std::vector<Part>& parts) {
  std::vector<const Part*> ordered;
  for (const Part& part : parts) ordered.push_back(&part);
  std::stable_sort(ordered.begin(), ordered.end(), [](const Part* a, const Part* b) {
    return a->summary.shard().index() < b->summary.shard().index();
  });
  const Part& first = *ordered.front();
  // The revision is that of a part that read something.
  const Part& read = **std::max_element(ordered.begin(), ordered.end(), [](auto* a, auto* b) {
    return a->summary.count() < b->summary.count();
  });
  Summary sum;
  std::vector<digest::BucketDigest> buckets;
  for (size_t i = 0; i < ordered.size(); ++i) {
    const Part& part = *ordered[i];
    RETURN_IF_ERROR(CheckSame(read, part));
    RETURN_IF_ERROR(TakeBuckets(part, buckets));
    const evidence::v1::Shard& shard = part.summary.shard();
    if (shard.count() != first.summary.shard().count()) {
      return BadFile(part.name, absl::StrCat("is of ", shard.count(), " shards, and ", first.name,
                                             " of ", first.summary.shard().count()));
    }
    if (shard.index() < static_cast<int>(i)) {
      return BadFile(part.name, absl::StrCat("is shard ", shard.index(), ", as ",
                                             ordered[i - 1]->name, " is"));
    }
    if (shard.index() > static_cast<int>(i)) {
      return BadFile("the parts", absl::StrCat("shard ", i, " of ", shard.count(), " is missing"));
    }
    sum.set_count(sum.count() + part.summary.count());
    MergeCounts(part.summary.tallies(), *sum.mutable_tallies());
    MergeCounts(part.summary.moves(), *sum.mutable_moves());
  }
  const int count = first.summary.shard().count();
  if (static_cast<int>(ordered.size()) < count) {
    return BadFile("the parts",
                   absl::StrCat("shard ", ordered.size(), " of ", count, " is missing"));
  }
  const int64_t total = read.summary.total();
  if (sum.count() != total) {
    return BadFile("the parts",
                   absl::StrCat("have ", sum.count(), " organisations, and the round ", total));
  }
  sum.set_round(first.summary.round());
  sum.set_total(total);
  *sum.mutable_scheme() = first.summary.scheme();
  *sum.mutable_snapshot() = read.summary.snapshot();
  sum.set_round_digest(digest::ToHex(digest::RoundDigest(buckets)));
  return sum;
}

}  // namespace starratings::starctl
