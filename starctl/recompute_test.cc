// A file that says what was recorded is recomputed to the same; every kind of
// difference is found, and named.
#include "starctl/recompute.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/digest/bucket.h"
#include "common/wire/evidence_wire.h"
#include "gmock/gmock.h"
#include "rating-svc/verify/verify.h"
#include "rating-svc/wire/rating_wire.h"
#include "starctl/failure.h"

namespace starratings::starctl {
namespace {

using assessment::v1::RoundFileLine;
using testing::HasSubstr;
using Lines = std::vector<RoundFileLine>;

constexpr char kPeriod[] = "2001-02";
constexpr char kDate[] = "2002-05-30";
constexpr int kRevision = 7;

std::string ShippedScheme() {
  std::ifstream in(SOURCE_ROOT "/rating-svc/schemes/england-social-services-2002/scheme.textproto");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const verify::Verification& Proven() {
  static const auto* const verification = new verify::Verification(verify::Verify(ShippedScheme()));
  return *verification;
}

void AddItem(assessment::v1::RoundFileOrganisation& line, const std::string& code,
             const std::string& level) {
  evidence::v1::RecordedItem& item = *line.mutable_dossier()->add_items();
  item.mutable_item()->set_organisation(line.dossier().organisation().id());
  item.mutable_item()->set_period(kPeriod);
  item.mutable_item()->set_code(code);
  item.mutable_item()->mutable_value()->set_level(level);
  item.mutable_item()->set_source_id("s1");
  item.set_revision(3);
  item.set_etag("1.3");
  item.set_actor("supplier");
}

// Makes digests and rating of a line what they must be.
rating::Rating Settle(assessment::v1::RoundFileOrganisation& line) {
  status::FieldErrors errors;
  const wire::SourcesById sources = wire::SourcesFromProto(line.sources(), "sources", errors);
  for (evidence::v1::RecordedItem& item : *line.mutable_dossier()->mutable_items()) {
    item.set_digest(digest::ToHex(wire::ItemFromProto(item.item(), sources, "", errors).digest));
  }
  const auto dossier = wire::DossierFromProto(line.dossier(), sources);
  const rating::Rating rating =
      rating::Rate(*Proven().scheme, *dossier, *evidence::Date::Parse(kDate));
  line.clear_rating();
  wire::Write(rating, *Proven().scheme, *line.mutable_rating());
  return rating;
}

Lines WholeRound() {
  std::vector<std::string> ids = {"walsall", "camden", "barking", "hull", "kent"};
  std::sort(ids.begin(), ids.end(), [](const std::string& a, const std::string& b) {
    return std::make_pair(digest::BucketOf(a), a) < std::make_pair(digest::BucketOf(b), b);
  });
  Lines lines(2);
  digest::RoundDigester digester;
  for (size_t i = 0; i < ids.size(); ++i) {
    auto& line = *lines.emplace_back().mutable_organisation();
    line.mutable_dossier()->mutable_organisation()->set_id(ids[i]);
    line.mutable_dossier()->mutable_organisation()->set_name("The council of " + ids[i]);
    line.mutable_dossier()->mutable_organisation()->set_kind("council");
    line.mutable_dossier()->set_period(kPeriod);
    auto& source = *line.add_sources();
    source.set_id("s1");
    source.set_title("A return");
    const char* const levels[] = {"no", "some", "most", "yes"};
    AddItem(line, "adults.serving", levels[i % 4]);
    AddItem(line, "adults.prospects", "promising");
    AddItem(line, "children.serving", "most");
    AddItem(line, "children.prospects", "promising");
    line.set_next(i + 1 < ids.size() ? ids[i + 1] : "");
    digester.Add(ids[i], Settle(line).digest);
  }
  auto& header = *lines[0].mutable_header();
  header.set_format(1);
  header.set_first(ids[0]);
  auto& round = *header.mutable_round();
  round.set_id("2002-05");
  round.set_period(kPeriod);
  round.set_date(kDate);
  *round.mutable_scheme() = wire::RefOf(*Proven().scheme);
  round.mutable_frozen()->set_revision(kRevision);
  round.set_organisation_count(static_cast<int64_t>(ids.size()));
  round.set_round_digest(digest::ToHex(digester.Finish()));
  lines[1].mutable_scheme()->set_text(ShippedScheme());
  lines.emplace_back().mutable_end()->set_count(static_cast<int64_t>(ids.size()));
  return lines;
}

class RecomputeTest : public testing::Test {
 protected:
  RecomputeTest() : path_(absl::StrCat(testing::TempDir(), "/recompute-", getpid())) {}
  ~RecomputeTest() override { std::filesystem::remove(path_); }

  void Write(const Lines& lines) {
    std::filesystem::remove(path_);
    auto file = RoundFileWriter::Create(path_);
    ASSERT_TRUE(file.ok()) << file.status();
    for (const RoundFileLine& line : lines) ASSERT_TRUE(file->Write(line).ok());
    ASSERT_TRUE(file->Publish().ok());
  }

  absl::StatusOr<Recomputed> Read() const {
    auto file = RoundFileReader::Open(path_);
    if (!file.ok()) return file.status();
    return Recompute(*file);
  }

  // Of a whole round that was tampered with.
  Difference Found(const std::function<void(Lines&)>& tamper) {
    Lines lines = WholeRound();
    tamper(lines);
    Write(lines);
    const auto done = Read();
    EXPECT_TRUE(done.ok()) << done.status();
    EXPECT_TRUE(done.ok() && done->difference);
    return done.ok() && done->difference ? *done->difference : Difference();
  }

  // Why a file cannot be used.
  std::string Refused() const {
    const auto done = Read();
    EXPECT_FALSE(done.ok());
    EXPECT_EQ(ExitCodeOf(done.status()), ExitCode::kBadFile) << done.status();
    return std::string(done.status().message());
  }

  const std::string path_;
};

// The line of organisation `i`, from 0.
assessment::v1::RoundFileOrganisation& Of(Lines& lines, size_t i) {
  return *lines[2 + i].mutable_organisation();
}
std::string IdOf(size_t i) {
  Lines lines = WholeRound();
  return Of(lines, i).dossier().organisation().id();
}

TEST_F(RecomputeTest, WhatWasRecordedIsRecomputed) {
  Write(WholeRound());
  const auto done = Read();
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_FALSE(done->difference) << done->difference->what << " " << done->difference->recomputed;
  EXPECT_EQ(done->organisations, 5);
  EXPECT_EQ(done->items, 20);
  EXPECT_EQ(done->round_digest, WholeRound()[0].header().round().round_digest());
}

TEST_F(RecomputeTest, AChangedValueIsFoundByItsDigest) {
  const Difference found = Found([](Lines& lines) {
    Of(lines, 1).mutable_dossier()->mutable_items(0)->mutable_item()->mutable_value()->set_level(
        "yes");
  });
  EXPECT_EQ(found.organisation, IdOf(1));
  EXPECT_EQ(found.what, "digest of the item adults.serving in 2001-02");
  EXPECT_NE(found.recorded, found.recomputed);
  EXPECT_EQ(found.line, 4);
}

TEST_F(RecomputeTest, AChangedValueWithItsDigestIsFoundByTheResult) {
  const Difference found = Found([](Lines& lines) {
    auto& line = Of(lines, 2);
    const rating::v1::Rating recorded = line.rating();
    line.mutable_dossier()->mutable_items(0)->mutable_item()->mutable_value()->set_level("no");
    Settle(line);
    *line.mutable_rating() = recorded;
  });
  EXPECT_EQ(found.organisation, IdOf(2));
  EXPECT_EQ(found.what, "result stars");
  EXPECT_EQ(found.recomputed, "0");
}

TEST_F(RecomputeTest, AChangedSourceIsFound) {
  const Difference found =
      Found([](Lines& lines) { Of(lines, 0).mutable_sources(0)->set_title("Another return"); });
  EXPECT_EQ(found.organisation, IdOf(0));
  EXPECT_THAT(found.what, HasSubstr("digest of the item adults.serving"));
}

TEST_F(RecomputeTest, AChangedStarIsFound) {
  const Difference found = Found(
      [](Lines& lines) { Of(lines, 0).mutable_rating()->mutable_results(0)->set_level("3"); });
  EXPECT_EQ(found.organisation, IdOf(0));
  EXPECT_EQ(found.what, "result stars");
  EXPECT_EQ(found.recorded, "3");
  EXPECT_EQ(found.recomputed, "0");
}

TEST_F(RecomputeTest, AChangedDecisionOrConsequenceIsFound) {
  Difference found = Found([](Lines& lines) {
    Of(lines, 3).mutable_rating()->mutable_decisions(0)->set_move(rating::v1::MOVE_LEFT);
  });
  EXPECT_THAT(found.what, HasSubstr("decision "));
  EXPECT_THAT(found.recorded, HasSubstr("LEFT"));
  found = Found([](Lines& lines) {
    auto& consequence = *Of(lines, 3).mutable_rating()->add_consequences();
    consequence.set_id("Z");
    consequence.set_text("A medal");
  });
  EXPECT_THAT(found.what, HasSubstr("consequence"));
  EXPECT_EQ(found.recorded, "Z");
}

TEST_F(RecomputeTest, AChangedRatingDigestIsFound) {
  const Difference found =
      Found([](Lines& lines) { Of(lines, 4).mutable_rating()->set_digest(std::string(64, '0')); });
  EXPECT_EQ(found.organisation, IdOf(4));
  EXPECT_EQ(found.what, "rating's digest");
  EXPECT_EQ(found.recorded, std::string(64, '0'));
}

TEST_F(RecomputeTest, WhatNoDigestCoversIsComparedToo) {
  const Difference found =
      Found([](Lines& lines) { Of(lines, 4).mutable_rating()->set_name("Somebody else"); });
  EXPECT_EQ(found.organisation, IdOf(4));
  EXPECT_THAT(found.recorded, HasSubstr("Somebody else"));
}

TEST_F(RecomputeTest, AChangedRoundDigestIsFound) {
  const Difference found = Found([](Lines& lines) {
    lines[0].mutable_header()->mutable_round()->set_round_digest(std::string(64, 'a'));
  });
  EXPECT_EQ(found.what, "round digest");
  EXPECT_EQ(found.recorded, std::string(64, 'a'));
  EXPECT_EQ(found.recomputed, WholeRound()[0].header().round().round_digest());
}

TEST_F(RecomputeTest, AMissingOrganisationIsNamedWhereverItStood) {
  for (const size_t gone : {size_t{0}, size_t{2}, size_t{4}}) {
    const Difference found = Found([gone](Lines& lines) {
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(2 + gone));
    });
    EXPECT_EQ(found.organisation, IdOf(gone));
    EXPECT_EQ(found.what, "line of the organisation");
    EXPECT_THAT(found.recomputed, HasSubstr("missing"));
  }
}

TEST_F(RecomputeTest, AnOrganisationTakenOutWithoutATraceIsFoundByTheCount) {
  const Difference found = Found([](Lines& lines) {
    Of(lines, 1).set_next(Of(lines, 2).next());
    lines.erase(lines.begin() + 4);
    lines.back().mutable_end()->set_count(4);
  });
  EXPECT_EQ(found.what, "number of organisations that the freeze chose");
  EXPECT_EQ(found.recorded, "5");
  EXPECT_EQ(found.recomputed, "4");
}

TEST_F(RecomputeTest, ARepeatedOrganisationIsNamed) {
  for (const size_t twice : {size_t{0}, size_t{2}, size_t{4}}) {
    const Difference found = Found([twice](Lines& lines) {
      const RoundFileLine line = lines[2 + twice];
      lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(2 + twice), line);
    });
    EXPECT_EQ(found.organisation, IdOf(twice));
    EXPECT_EQ(found.what, "place in the file");
  }
}

TEST_F(RecomputeTest, AChangedSchemeTextIsFoundUnlessItSaysTheSame) {
  Lines lines = WholeRound();
  lines[1].mutable_scheme()->set_text("# a comment\n" + ShippedScheme());
  Write(lines);
  const auto same = Read();
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_FALSE(same->difference);

  Difference found = Found([](Lines& changed) {
    changed[1].mutable_scheme()->set_text(
        absl::StrReplaceAll(ShippedScheme(), {{"numerator: 24 ", "numerator: 25 "}}));
  });
  EXPECT_EQ(found.what, "digest of the scheme's text");
  EXPECT_EQ(found.line, 2);
  found = Found([](Lines& changed) { changed[1].mutable_scheme()->set_text("no scheme"); });
  EXPECT_EQ(found.what, "scheme's text");
}

TEST_F(RecomputeTest, EvidenceFromAfterTheFreezeIsFound) {
  const Difference found = Found([](Lines& lines) {
    Of(lines, 0).mutable_dossier()->mutable_items(1)->set_revision(kRevision + 1);
  });
  EXPECT_THAT(found.what, HasSubstr("revision of the item"));
}

TEST_F(RecomputeTest, EvidenceOfSomebodyElseOrAnotherPeriodIsFound) {
  Difference found = Found([](Lines& lines) {
    Of(lines, 0).mutable_dossier()->mutable_items(1)->mutable_item()->set_organisation("other");
  });
  EXPECT_THAT(found.what, HasSubstr("organisation of the item"));
  found = Found([](Lines& lines) {
    Of(lines, 0).mutable_dossier()->mutable_items(1)->mutable_item()->set_period("2000-01");
  });
  EXPECT_THAT(found.what, HasSubstr("period of the item"));
}

TEST_F(RecomputeTest, AFileThatIsNotWholeIsRefusedWithItsLastOrganisation) {
  Lines lines = WholeRound();
  lines.pop_back();
  Write(lines);
  EXPECT_THAT(Refused(), HasSubstr("the last organisation in it is " + IdOf(4)));
  Write(WholeRound());
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 3);
  EXPECT_THAT(Refused(), HasSubstr(":8: the file ends within this line"));
  std::filesystem::resize_file(path_, 0);
  EXPECT_THAT(Refused(), HasSubstr("ends before its header"));
}

TEST_F(RecomputeTest, WhatIsNoExportedRoundIsRefused) {
  std::ofstream(path_) << "organisation,stars\n";
  EXPECT_THAT(Refused(), HasSubstr(":1: is no line of an exported round"));
  std::ofstream(path_) << "{\"header\":{\"format\":1,\"surprise\":2}}\n";
  EXPECT_THAT(Refused(), HasSubstr(":1: is no line of an exported round"));
  std::ofstream(path_) << "{\"header\":{\"format\":2}}\n";
  EXPECT_THAT(Refused(), HasSubstr("format 2"));
  std::filesystem::remove(path_);
  EXPECT_THAT(Refused(), HasSubstr("No such file"));
}

TEST_F(RecomputeTest, AFileAppearsWholeOrNotAtAll) {
  std::filesystem::remove(path_);
  {
    auto file = RoundFileWriter::Create(path_);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file->Write(WholeRound()[0]).ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
  Write(WholeRound());
  EXPECT_FALSE(RoundFileWriter::Create(path_).ok());
}

}  // namespace
}  // namespace starratings::starctl
