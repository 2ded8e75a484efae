#include "starctl/recompute.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/digest/bucket.h"
#include "common/evidence/text.h"
#include "common/status/status_macros.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/scheme_text.h"
#include "google/protobuf/util/message_differencer.h"
#include "rating-svc/rating/cohort.h"
#include "rating-svc/rating/print.h"
#include "rating-svc/rating/rating.h"
#include "rating-svc/verify/verify.h"
#include "rating-svc/wire/rating_wire.h"
#include "starctl/failure.h"
#include "starctl/phrases.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RoundFileHeader;
using assessment::v1::RoundFileLine;
using assessment::v1::RoundFileOrganisation;
using Found = std::optional<Difference>;

constexpr char kNothing[] = "nothing";

// Says "nothing" of an empty text.
std::string Shown(const std::string& text) { return text.empty() ? kNothing : text; }

Found Differ(absl::string_view what, const std::string& recorded, const std::string& recomputed) {
  if (recorded == recomputed) return std::nullopt;
  return Difference{0, "", std::string(what), Shown(recorded), Shown(recomputed)};
}

std::string DecisionText(const rating::v1::Decision& decision) {
  return absl::StrCat(Name(decision.move()), " (", Shown(decision.previous()), " to ",
                      Shown(decision.state()), " in ", decision.code(), ", listed is ",
                      decision.listed(), ")");
}

std::string WhyText(const rating::v1::Result& result) {
  std::string text = OutcomeText(result);
  if (result.has_not_rated()) {
    absl::StrAppend(&text, " by ", result.not_rated().rule_id(), " for ",
                    result.not_rated().code());
  }
  if (result.has_mechanical()) {
    absl::StrAppend(&text, " (", WhyText(result.mechanical()), " without overrides)");
  }
  return text;
}

// Compares two lists whose elements have ids.
template <typename List, typename Text>
Found DifferInList(absl::string_view what, const List& recorded, const List& made, Text text) {
  for (int i = 0; i < std::max(recorded.size(), made.size()); ++i) {
    const std::string had = i < recorded.size() ? recorded[i].id() : "";
    const std::string got = i < made.size() ? made[i].id() : "";
    if (had != got) return Differ(what, had, got);
    const std::string name = absl::StrCat(what, " ", had);
    if (Found found = Differ(name, text(recorded[i]), text(made[i]))) return found;
  }
  return std::nullopt;
}

Found DifferInRating(const rating::v1::Rating& recorded, const rating::v1::Rating& made) {
  if (Found found = Differ("rating's organisation", recorded.organisation(), made.organisation())) {
    return found;
  }
  if (Found found = DifferInList("result", recorded.results(), made.results(), WhyText)) {
    return found;
  }
  if (Found found =
          DifferInList("decision", recorded.decisions(), made.decisions(), DecisionText)) {
    return found;
  }
  const auto text = [](const rating::v1::Consequence& consequence) {
    return absl::StrCat(consequence.text(), " [", consequence.code(), "]");
  };
  if (Found found =
          DifferInList("consequence", recorded.consequences(), made.consequences(), text)) {
    return found;
  }
  const auto basis = [](const rating::v1::Result& result) { return Name(result.basis()); };
  if (Found found = DifferInList("basis of", recorded.results(), made.results(), basis)) {
    return found;
  }
  if (Found found = Differ("rating's digest", recorded.digest(), made.digest())) return found;
  std::string rest;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&rest);
  if (differencer.Compare(recorded, made)) return std::nullopt;
  return Difference{0, "", "rating", rest.substr(0, rest.find('\n')), "as in this line"};
}

// Goes through a file once.
class Check {
 public:
  explicit Check(RoundFileReader& file) : file_(file) {}

  absl::StatusOr<Recomputed> Run();

 private:
  absl::StatusOr<RoundFileLine> Line(RoundFileLine::LineCase wanted, absl::string_view name);
  absl::StatusOr<Found> Header();
  absl::StatusOr<Found> Scheme();
  absl::StatusOr<Found> Organisations();
  Found Organisation(const RoundFileOrganisation& line);
  Found Place(const std::string& organisation);
  Found Item(const evidence::v1::RecordedItem& item, const std::string& organisation,
             const wire::SourcesById& sources, evidence::Dossier& dossier);
  Found Evidence(const RoundFileOrganisation& line, evidence::Dossier& dossier);
  // The cuts that the rating names, which must be those of all others.
  Found Tables(const rating::v1::Rating& rating);
  // Whether the organisations give them.
  Found Derived();
  Found End(const assessment::v1::RoundFileEnd& end);

  RoundFileReader& file_;
  Recomputed done_;
  RoundFileHeader header_;
  evidence::Date date_;
  std::shared_ptr<const scheme::Scheme> proven_;
  std::shared_ptr<const scheme::Scheme> scheme_;  // Bound, once cuts are known.
  digest::RoundDigester digester_;
  std::optional<rating::Cohort> cohort_;  // Where the scheme derives cuts.
  std::string last_;
  std::string next_;  // Who must come now.
};

absl::StatusOr<RoundFileLine> Check::Line(RoundFileLine::LineCase wanted, absl::string_view name) {
  ASSIGN_OR_RETURN(auto line, file_.Next());
  if (!line) return file_.Bad(absl::StrCat("the file ends before its ", name, ": it is not whole"));
  if (line->line_case() != wanted) return file_.Bad(absl::StrCat("must be the ", name));
  return *std::move(line);
}

absl::StatusOr<Found> Check::Header() {
  ASSIGN_OR_RETURN(RoundFileLine line, Line(RoundFileLine::kHeader, "header"));
  header_ = std::move(*line.mutable_header());
  if (header_.format() != kRoundFileFormat) {
    return file_.Bad(
        absl::StrCat("is of format ", header_.format(), "; this starctl reads ", kRoundFileFormat));
  }
  const assessment::v1::Round& round = header_.round();
  done_.round = round.id();
  const absl::StatusOr<evidence::Date> date = evidence::Date::Parse(round.date());
  if (!date.ok()) return file_.Bad(absl::StrCat("the round's date ", date.status().message()));
  date_ = *date;
  if (!round.has_frozen() || round.round_digest().empty()) {
    return file_.Bad("the round was not recorded: it has no revision or no digest");
  }
  next_ = header_.first();
  return Found();
}

absl::StatusOr<Found> Check::Scheme() {
  ASSIGN_OR_RETURN(const RoundFileLine line, Line(RoundFileLine::kScheme, "scheme"));
  const rating::v1::SchemeRef& ref = header_.round().scheme();
  const absl::StatusOr<scheme::v1::Scheme> parsed = wire::ParseScheme(line.scheme().text());
  if (!parsed.ok()) {
    return Found({0, "", "scheme's text", absl::StrCat("a scheme with the digest ", ref.digest()),
                  absl::StrCat("no scheme: ", parsed.status().message())});
  }
  ASSIGN_OR_RETURN(const digest::Digest digest, wire::SchemeDigest(*parsed));
  if (Found found = Differ("digest of the scheme's text", ref.digest(), digest::ToHex(digest))) {
    return found;
  }
  done_.scheme = wire::SchemeName(*parsed);
  if (Found found = Differ("scheme's name", SchemeText(ref), done_.scheme)) return found;
  const verify::Verification verification = verify::Verify(line.scheme().text());
  scheme_ = proven_ = verification.scheme;
  if (scheme_ == nullptr) {
    const verify::Issue& issue = verification.issues.front();
    return Found({0, "", "scheme", "proven",
                  absl::StrCat("not proven: line ", issue.line, " of its text: ", issue.code, " ",
                               issue.rule_id, ": ", issue.message)});
  }
  if (!scheme_->quantiles.empty()) cohort_.emplace(*proven_);
  if (!scheme_->InForceOn(date_)) {
    return Found({0, "", "scheme", absl::StrCat("in force on ", date_.ToString()), "not in force"});
  }
  return Found();
}

Found Check::Place(const std::string& organisation) {
  if (organisation == next_) return std::nullopt;
  const bool before =
      done_.organisations > 0 && std::make_pair(digest::BucketOf(organisation), organisation) <=
                                     std::make_pair(digest::BucketOf(last_), last_);
  if (organisation == last_ || before || next_.empty()) {
    return Difference{0, organisation, "place in the file",
                      next_.empty() ? "after the last organisation" : "before " + next_,
                      organisation == last_ || before ? "it was there already, or is out of order"
                                                      : "there is nobody after the last"};
  }
  return Difference{0, next_, "line of the organisation", "in the round",
                    absl::StrCat("missing; ", organisation, " stands here")};
}

Found Check::Item(const evidence::v1::RecordedItem& item, const std::string& organisation,
                  const wire::SourcesById& sources, evidence::Dossier& dossier) {
  const evidence::v1::EvidenceItem& said = item.item();
  const std::string name =
      absl::StrCat("item ", said.code(), " in ", said.period(),
                   said.instance().empty() ? "" : absl::StrCat(" (", said.instance(), ")"));
  status::FieldErrors errors;
  evidence::RecordedItem recorded;
  recorded.item = wire::ItemFromProto(said, sources, "", errors);
  if (!errors.empty()) {
    return Difference{0, "", name, "evidence",
                      absl::StrCat("not well-formed: ", errors.ToStatus().message())};
  }
  if (Found found =
          Differ(absl::StrCat("organisation of the ", name), said.organisation(), organisation)) {
    return found;
  }
  if (said.period() != dossier.period && said.period() != evidence::kStanding) {
    return Differ(absl::StrCat("period of the ", name), said.period(), dossier.period);
  }
  if (Found found = Differ(absl::StrCat("digest of the ", name), item.digest(),
                           digest::ToHex(recorded.item.digest))) {
    return found;
  }
  const int64_t frozen = header_.round().frozen().revision();
  if (item.revision() < 1 || item.revision() > frozen) {
    return Difference{0, "", absl::StrCat("revision of the ", name), absl::StrCat(item.revision()),
                      absl::StrCat("not of 1 to ", frozen, ", which the round froze")};
  }
  dossier.items.push_back(std::move(recorded));
  ++done_.items;
  return std::nullopt;
}

Found Check::Evidence(const RoundFileOrganisation& line, evidence::Dossier& dossier) {
  status::FieldErrors errors;
  const wire::SourcesById sources = wire::SourcesFromProto(line.sources(), "sources", errors);
  dossier.organisation =
      wire::OrganisationFromProto(line.dossier().organisation(), "organisation.", errors);
  if (!errors.empty()) {
    return Difference{0, "", "dossier", "evidence",
                      absl::StrCat("not well-formed: ", errors.ToStatus().message())};
  }
  dossier.period = line.dossier().period();
  if (Found found = Differ("period of the dossier", dossier.period, header_.round().period())) {
    return found;
  }
  dossier.items.reserve(static_cast<size_t>(line.dossier().items_size()));
  for (const evidence::v1::RecordedItem& item : line.dossier().items()) {
    if (Found found = Item(item, dossier.organisation.id, sources, dossier)) return found;
  }
  return std::nullopt;
}

Found Check::Organisation(const RoundFileOrganisation& line) {
  const std::string& id = line.dossier().organisation().id();
  if (Found found = Place(id)) return found;
  evidence::Dossier dossier;
  if (Found found = Evidence(line, dossier)) return found;
  if (!line.has_rating()) return Difference{0, "", "rating", kNothing, "one"};
  // What was published about it is named by the rating; its digest holds theirs.
  dossier.published = wire::PublishedOf(line.rating());
  if (Found found = Tables(line.rating())) return found;
  if (cohort_) cohort_->Add(dossier, date_);
  const rating::Rating rating = rating::Rate(*scheme_, dossier, date_);
  rating::v1::Rating made;
  wire::Write(rating, *scheme_, made);
  if (Found found = DifferInRating(line.rating(), made)) return found;
  digester_.Add(id, rating.digest);
  ++done_.organisations;
  last_ = id;
  next_ = line.next();
  return std::nullopt;
}

std::string CutsText(const scheme::CutTable& table) {
  std::vector<std::string> cuts;
  for (const scheme::Fraction& cut : table.cuts) {
    cuts.push_back(rating::PrintNumber(cut.numerator, cut.denominator));
  }
  return absl::StrCat(cuts.empty() ? "none" : absl::StrJoin(cuts, ", "), ", of ", table.known,
                      " known among ", table.organisations, " organisations");
}

Found Check::Tables(const rating::v1::Rating& rating) {
  if (!cohort_) return std::nullopt;
  std::optional<std::vector<scheme::CutTable>> tables = wire::TablesOf(rating, *proven_);
  if (!tables) return Difference{0, "", "cuts", "those of the scheme's quantiles", "others"};
  for (size_t i = 0; i < tables->size(); ++i) {
    const std::string name = absl::StrCat("cuts of ", (*tables)[i].id);
    if (Found found = Differ(absl::StrCat("digest of the ", name),
                             rating.tables(static_cast<int>(i)).digest(), (*tables)[i].digest)) {
      return found;
    }
    if (scheme_->tables.empty()) continue;
    if (Found found = Differ(name, CutsText((*tables)[i]), CutsText(scheme_->tables[i]))) {
      return found;
    }
  }
  if (scheme_->tables.empty()) {
    scheme_ = std::make_shared<const scheme::Scheme>(rating::Bind(*proven_, *std::move(tables)));
  }
  return std::nullopt;
}

Found Check::Derived() {
  if (!cohort_ || scheme_->tables.empty()) return std::nullopt;
  const std::vector<scheme::CutTable> tables = cohort_->Derive();
  for (size_t i = 0; i < tables.size(); ++i) {
    if (Found found = Differ(absl::StrCat("cuts of ", tables[i].id), CutsText(scheme_->tables[i]),
                             CutsText(tables[i]))) {
      return found;
    }
  }
  return std::nullopt;
}

Found Check::End(const assessment::v1::RoundFileEnd& end) {
  if (!next_.empty()) {
    return Difference{0, next_, "line of the organisation", "in the round", "missing at the end"};
  }
  const std::string count = absl::StrCat(done_.organisations);
  if (Found found =
          Differ("number of organisations in the last line", absl::StrCat(end.count()), count)) {
    return found;
  }
  if (Found found = Differ("number of organisations that the freeze chose",
                           absl::StrCat(header_.round().organisation_count()), count)) {
    return found;
  }
  if (Found found = Derived()) return found;
  done_.round_digest = digest::ToHex(digester_.Finish());
  return Differ("round digest", header_.round().round_digest(), done_.round_digest);
}

absl::StatusOr<Found> Check::Organisations() {
  while (true) {
    ASSIGN_OR_RETURN(const auto line, file_.Next());
    if (!line) {
      return file_.Bad(absl::StrCat("the file ends before its last line: it is not whole; ",
                                    last_.empty()
                                        ? "there is no organisation in it"
                                        : absl::StrCat("the last organisation in it is ", last_)));
    }
    Found found;
    if (line->has_organisation()) {
      found = Organisation(line->organisation());
      if (found && found->organisation.empty()) {
        found->organisation = line->organisation().dossier().organisation().id();
      }
    } else if (line->has_end()) {
      found = End(line->end());
      if (found) return found;
      ASSIGN_OR_RETURN(const auto more, file_.Next());
      if (more) return file_.Bad("stands behind the last line");
      return Found();
    } else {
      return file_.Bad("must be an organisation, or the last line");
    }
    if (found) return found;
  }
}

absl::StatusOr<Recomputed> Check::Run() {
  ASSIGN_OR_RETURN(Found found, Header());
  if (!found) {
    ASSIGN_OR_RETURN(found, Scheme());
  }
  if (!found) {
    ASSIGN_OR_RETURN(found, Organisations());
  }
  if (found) found->line = file_.line();
  done_.difference = std::move(found);
  return std::move(done_);
}

}  // namespace

absl::StatusOr<Recomputed> Recompute(RoundFileReader& file) { return Check(file).Run(); }

}  // namespace starratings::starctl
