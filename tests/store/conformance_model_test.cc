// What it is to be an EvidenceStore: whatever is written in whatever groups,
// each is answered as a list of all that was accepted says, and each revision
// reads as that list up to there.
#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <tuple>
#include <utility>

#include "assessment-svc/store/checks.h"
#include "common/digest/bucket.h"
#include "tests/store/conformance.h"

namespace starratings::store {
namespace {

// The model: a list of the writes that were accepted, the n-th at revision n,
// and nothing that is not found by going through it.
class Model {
 public:
  // Decides `write` as a store must, and appends it if it is accepted.
  std::string Submit(const Write& write) {
    for (size_t i = 0; i < accepted_.size(); ++i) {
      const Write& earlier = accepted_[i];
      if (earlier.actor != write.actor || earlier.request_id != write.request_id) continue;
      if (earlier.payload != write.payload) return "INVALID_ARGUMENT REQUEST_ID_REUSED";
      return absl::StrCat("at ", i + 1, " again ", EtagsOf(i));
    }
    for (const EvidenceDraft& draft : DraftsOf(write)) {
      const auto history = HistoryOf(draft.item.key, head());
      const bool is_there = !history.empty();
      const Expectation& expected = draft.expected;
      if ((expected.kind == Expectation::Kind::kNothing && is_there) ||
          (expected.kind == Expectation::Kind::kEtag &&
           (!is_there || history.back().Etag() != expected.etag))) {
        return "ABORTED ETAG_MISMATCH";
      }
      if (is_there && write.reason.empty() &&
          !std::holds_alternative<evidence::MissingReason>(history.back().item.value) &&
          history.back().item.value != draft.item.value) {
        return "INVALID_ARGUMENT INVALID_FIELDS";
      }
    }
    accepted_.push_back(write);
    return absl::StrCat("at ", head(), " ", EtagsOf(accepted_.size() - 1));
  }

  int64_t head() const { return std::ssize(accepted_); }

  // Everything said under `key` up to `revision`, oldest first.
  std::vector<evidence::RecordedItem> HistoryOf(const evidence::ItemKey& key,
                                                int64_t revision) const {
    std::vector<evidence::RecordedItem> history;
    for (int64_t at = 1; at <= revision; ++at) {
      for (const evidence::RecordedItem& item : SaidAt(at)) {
        if (item.item.key != key) continue;
        history.push_back(item);
        history.back().ordinal = std::ssize(history);
      }
    }
    return history;
  }

  // What is under each key at `revision`, in the order of ListItems().
  std::vector<evidence::RecordedItem> ItemsAt(int64_t revision) const {
    std::map<std::pair<int, evidence::ItemKey>, evidence::RecordedItem> newest;
    for (int64_t at = 1; at <= revision; ++at) {
      for (evidence::RecordedItem& item : SaidAt(at)) {
        evidence::RecordedItem& held =
            newest[{digest::BucketOf(item.item.key.organisation), item.item.key}];
        item.ordinal = held.ordinal + 1;
        held = std::move(item);
      }
    }
    std::vector<evidence::RecordedItem> items;
    for (const auto& [place, item] : newest) items.push_back(item);
    return items;
  }

  // What revision `at` says, in the order of its write; without ordinals.
  std::vector<evidence::RecordedItem> SaidAt(int64_t at) const {
    const Write& write = accepted_[static_cast<size_t>(at - 1)];
    std::vector<evidence::RecordedItem> said;
    for (const EvidenceDraft& draft : DraftsOf(write)) {
      said.push_back({draft.item, at, 0, write.actor, 0, write.reason});
    }
    return said;
  }

  const Write& Accepted(int64_t at) const { return accepted_[static_cast<size_t>(at - 1)]; }

 private:
  std::string EtagsOf(size_t index) const {
    const auto revision = static_cast<int64_t>(index) + 1;
    std::string etags;
    for (const EvidenceDraft& draft : DraftsOf(accepted_[index])) {
      absl::StrAppend(&etags, HistoryOf(draft.item.key, revision).back().Etag(), " ");
    }
    return etags;
  }

  std::vector<Write> accepted_;
};

constexpr const char* kOrganisations[] = {"hull", "Hull", "h\xc3\xbcll", "hu\xcc\x88ll"};
constexpr const char* kPeriods[] = {"2001-02", "2002-03", "standing"};

class Operations {
 public:
  explicit Operations(unsigned seed) : random_(seed) {}

  int Below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }

  // Some of it is refused, and some was sent before. What it expects is what
  // `model` says now, before the rest of its group.
  Write NextWrite(const Model& model) {
    if (!sent_.empty() && Below(6) == 0) {
      Write again = sent_[static_cast<size_t>(Below(static_cast<int>(sent_.size())))];
      if (Below(4) == 0) again.payload = digest::Sha256("something else");
      return again;
    }
    std::map<evidence::ItemKey, EvidenceDraft> drafts;
    for (int i = Below(5); i >= 0; --i) {
      const evidence::Item item = NextItem();
      drafts[item.key] = {item, NextExpectation(model, item.key)};
    }
    Write write = Say(absl::StrCat("request ", sent_.size()), {});
    write.actor = Below(2) == 0 ? "spiffe://test/ann" : "spiffe://test/bob";
    if (Below(3) == 0) write.reason = "";
    for (const auto& [key, draft] : drafts) {
      std::vector<EvidenceDraft>& items = std::get<EvidenceBatch>(write.body).items;
      items.insert(items.begin() + Below(static_cast<int>(items.size()) + 1), draft);
    }
    sent_.push_back(write);
    return write;
  }

 private:
  Expectation NextExpectation(const Model& model, const evidence::ItemKey& key) {
    const auto history = model.HistoryOf(key, model.head());
    switch (Below(12)) {
      case 0:
        return Nothing();
      case 1:
        return Etag("1.1");
      case 2:
      case 3:
      case 4:
      case 5:
        return history.empty() ? Nothing() : Etag(history.back().Etag());
      default:
        return {};
    }
  }

  evidence::Item NextItem() {
    evidence::Item item = ItemOf(kOrganisations[Below(4)], absl::StrCat("c", Below(2)), NextValue(),
                                 kPeriods[Below(3)], Below(4) == 0 ? "x" : "");
    if (Below(2) == 0) item.observed_on = evidence::Date::FromDays(Below(10'000));
    if (Below(3) == 0) {
      item.overriding = {absl::StrCat("Minister ", Below(3)),
                         evidence::Date::FromDays(Below(10'000))};
    }
    item.source = std::make_shared<const evidence::Source>(
        evidence::Source{absl::StrCat("Source ", Below(5)), "", "", Below(2) == 0});
    return item;
  }

  evidence::Value NextValue() {
    switch (Below(5)) {
      case 0:
        return evidence::Decimal::FromMicros(Below(1'000'000) - 500'000);
      case 1:
        return evidence::Ratio{Below(100), 1 + Below(100)};
      case 2:
        return evidence::Level{absl::StrCat("level ", Below(3))};
      case 3:
        return Below(2) == 0;
      default:
        return evidence::MissingReason::kWithdrawn;
    }
  }

  std::mt19937 random_;
  std::vector<Write> sent_;
};

// As Model::Submit() says it.
std::string DescribeWithEtags(const absl::StatusOr<Written>& written) {
  std::string line = Describe(written);
  if (!written.ok()) return line;
  absl::StrAppend(&line, " ");
  for (const std::string& etag : written->etags) absl::StrAppend(&line, etag, " ");
  return line;
}

void ExpectLog(const EvidenceStore& store, const Model& model) {
  const auto log = Must(store.ReadLog({}, model.head(), 100'000, kForever));
  ASSERT_EQ(std::ssize(log), model.head());
  for (const LoggedRevision& logged : log) {
    const int64_t revision = logged.commit.revision;
    const Write& write = model.Accepted(revision);
    EXPECT_EQ(logged.request_id, write.request_id);
    EXPECT_EQ(logged.commit.actor, write.actor);
    EXPECT_EQ(logged.commit.reason, write.reason);
    std::vector<evidence::RecordedItem> said = model.SaidAt(revision);
    for (evidence::RecordedItem& item : said) {
      item.ordinal = std::ssize(model.HistoryOf(item.item.key, revision));
    }
    ASSERT_EQ(Describe(logged.items), Describe(said)) << "at revision " << revision;
  }
}

using Items = std::vector<evidence::RecordedItem>;

Items Those(const Items& items, const std::function<bool(const evidence::ItemKey&)>& wanted) {
  Items those;
  std::copy_if(items.begin(), items.end(), std::back_inserter(those),
               [&](const evidence::RecordedItem& item) { return wanted(item.item.key); });
  return those;
}

std::vector<std::string> Sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

// Every way to read evidence says what the model says at `revision`.
void ExpectReads(const EvidenceStore& store, const Model& model, int64_t revision,
                 Operations& operations) {
  const Items all = model.ItemsAt(revision);
  ASSERT_EQ(Describe(Must(store.ListItems({}, {}, 1'000, revision, kForever))), Describe(all));
  const std::string organisation = kOrganisations[operations.Below(4)];
  const std::string period = kPeriods[operations.Below(3)];
  const std::string code = absl::StrCat("c", operations.Below(2));
  ASSERT_EQ(Describe(Must(
                store.ListItems({{organisation}, period, {code}}, {}, 1'000, revision, kForever))),
            Describe(Those(all, [&](const evidence::ItemKey& key) {
              return key.organisation == organisation && key.period == period && key.code == code;
            })));
  for (const bool some_codes : {false, true}) {
    const auto dossiers = Must(
        store.ReadDossiers({}, period, some_codes ? std::vector{code} : std::vector<std::string>(),
                           {}, 10, revision, kForever));
    ASSERT_EQ(std::ssize(dossiers), revision == 0 ? 0 : 4);
    for (const evidence::Dossier& dossier : dossiers) {
      const Items expected = Those(all, [&](const evidence::ItemKey& key) {
        return key.organisation == dossier.organisation.id &&
               (key.period == period || key.period == "standing") &&
               (!some_codes || key.code == code);
      });
      ASSERT_EQ(Sorted(Describe(dossier.items)), Sorted(Describe(expected)));
    }
  }
  const evidence::ItemKey key{organisation, period, code, operations.Below(2) == 0 ? "x" : ""};
  Items history = model.HistoryOf(key, revision);
  std::reverse(history.begin(), history.end());
  ASSERT_EQ(Describe(Must(store.ReadHistory(key, revision + 1, 1'000, kForever))),
            Describe(history));
  const auto item = Must(store.ReadItem(key, revision, kForever));
  ASSERT_EQ(item ? Describe(Items{*item}) : std::vector<std::string>(),
            history.empty() ? std::vector<std::string>() : Describe(Items{history.front()}));
  Items supplied = Those(all, [&](const evidence::ItemKey& one) {
    return one.organisation == organisation && one.code == code;
  });
  const auto newest =
      std::max_element(supplied.begin(), supplied.end(), [](const auto& a, const auto& b) {
        return std::tie(a.revision, a.item.key.period, a.item.key.instance) <
               std::tie(b.revision, b.item.key.period, b.item.key.instance);
      });
  const auto last = Must(store.ReadLastSupplied(organisation, code, revision, kForever));
  ASSERT_EQ(last ? Describe(Items{*last}) : std::vector<std::string>(),
            newest == supplied.end() ? std::vector<std::string>() : Describe(Items{*newest}));
}

TEST_P(ConformanceTest, EveryRevisionReadsAsTheLogSays) {
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    StartAfresh();
    Operations operations(seed);
    Model model;
    Registration registration;
    for (const char* id : kOrganisations) {
      registration.organisations.push_back({id, id, "council", "", std::nullopt, std::nullopt});
    }
    const Write registers = WriteOf("register", std::move(registration));
    ASSERT_EQ(DescribeWithEtags(CommitAll({registers}).front()), model.Submit(registers));
    for (int step = 0; step < 30; ++step) {
      std::vector<Write> group;
      std::vector<std::string> expected;
      const int size = 1 + operations.Below(step % 3 == 0 ? 1 : 8);
      const Model before = model;
      for (int i = 0; i < size; ++i) {
        // Half of them know what those before them in the group will do.
        group.push_back(operations.NextWrite(operations.Below(2) == 0 ? before : model));
        expected.push_back(model.Submit(group.back()));
      }
      std::vector<std::string> answers;
      for (const auto& written : CommitAll(group)) answers.push_back(DescribeWithEtags(written));
      ASSERT_EQ(answers, expected) << "in step " << step;
      ASSERT_EQ(Head(), model.head());
    }
    ASSERT_GT(model.head(), 30);
    for (int64_t revision = 0; revision <= model.head(); ++revision) {
      SCOPED_TRACE(absl::StrCat("at revision ", revision));
      ASSERT_NO_FATAL_FAILURE(ExpectReads(*store_, model, revision, operations));
    }
    ExpectLog(*store_, model);
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace starratings::store
