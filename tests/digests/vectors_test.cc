// The vectors of tests/digests come out of the product as they stand in the
// file; canonical_test.py says the same of a second implementation.
#include <fstream>
#include <map>

#include "common/digest/bucket.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/scheme_text.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "rating-svc/rating/assemble.h"
#include "rating-svc/rating/cohort.h"
#include "rating-svc/rating/print.h"

namespace starratings {
namespace {

using nlohmann::json;

json Vectors() {
  std::ifstream in(SOURCE_ROOT "/tests/digests/vectors.json");
  return json::parse(in);
}

evidence::Value ValueOf(const json& value) {
  if (value.contains("decimal")) {
    return *evidence::Decimal::Parse(value["decimal"].get<std::string>());
  }
  if (value.contains("ratio")) {
    return evidence::Ratio{value["ratio"]["numerator"], value["ratio"]["denominator"]};
  }
  if (value.contains("level")) return evidence::Level{value["level"]};
  if (value.contains("flag")) return value["flag"].get<bool>();
  if (value.contains("text")) return evidence::Text{value["text"]};
  return static_cast<evidence::MissingReason>(value["missing"].get<int>());
}

TEST(VectorsTest, Items) {
  const json vectors = Vectors();
  for (const json& vector : vectors["items"]) {
    const json& said = vector["item"];
    const json& source = said["source"];
    evidence::Item item;
    item.key = {said["organisation"], said["period"], said["code"], said.value("instance", "")};
    item.value = ValueOf(said["value"]);
    if (said.contains("observed_on")) {
      item.observed_on = *evidence::Date::Parse(said["observed_on"].get<std::string>());
    }
    if (said.contains("override")) {
      item.overriding = {said["override"]["authority"],
                         *evidence::Date::Parse(said["override"]["expires_on"].get<std::string>())};
    }
    item.source = std::make_shared<const evidence::Source>(
        evidence::Source{source["title"], source.value("uri", ""), source.value("sha256", ""),
                         source.value("reconstructed", false)});
    EXPECT_EQ(digest::ToHex(wire::ItemDigest(item)), vector["digest"]) << vector;
  }
}

rating::ResultOutcome OutcomeOf(const json& result) {
  rating::ResultOutcome outcome;
  outcome.id = result["id"];
  outcome.level = result.value("level", "");
  outcome.number = result.value("number", "");
  if (result.contains("not_rated")) {
    EXPECT_EQ(result["not_rated"]["reason"], "NOT_REPORTED");
    outcome.not_rated = {rating::Absent::kNotReported, result["not_rated"]["rule_id"],
                         result["not_rated"]["code"]};
  }
  if (result.contains("mechanical")) {
    outcome.mechanical =
        std::make_shared<const rating::ResultOutcome>(OutcomeOf(result["mechanical"]));
  }
  return outcome;
}

TEST(VectorsTest, Ratings) {
  const json vectors = Vectors();
  for (const json& vector : vectors["ratings"]) {
    const json& said = vector["rating"];
    rating::Rating rating;
    rating.organisation = said["organisation"];
    rating.period = said["period"];
    for (const json& result : said["results"]) rating.results.push_back(OutcomeOf(result));
    if (said.contains("attributes")) {
      for (const auto& [name, value] : said["attributes"].items()) {
        rating.attributes.emplace_back(name, value.get<std::string>());
      }
    }
    if (said.contains("published")) {
      for (const json& of : said["published"]) {
        rating.published.push_back({"", "", "", "", of.get<std::string>()});
      }
    }
    if (said.contains("tables")) {
      for (const json& of : said["tables"]) {
        rating.tables.push_back({"", {}, 0, 0, of.get<std::string>()});
      }
    }
    for (const json& decision : said["decisions"]) {
      rating.decisions.push_back({decision["id"], decision["code"], decision["previous"],
                                  decision["state"],
                                  static_cast<rating::Move>(decision["move"].get<int>()), ""});
    }
    std::vector<digest::Digest> items;
    for (const json& item : said["items"]) {
      items.push_back(*digest::FromHex(item.get<std::string>()));
    }
    const digest::Digest digest =
        rating::RatingDigest(said["scheme"], rating, std::move(items),
                             *evidence::Date::Parse(said["date"].get<std::string>()));
    EXPECT_EQ(digest::ToHex(digest), vector["digest"]) << vector;
  }
}

TEST(VectorsTest, Tables) {
  const json vectors = Vectors();
  EXPECT_GE(vectors["tables"].size(), 2);
  for (const json& vector : vectors["tables"]) {
    const json& said = vector["table"];
    scheme::Scheme scheme;
    scheme.digest = said["scheme"];
    scheme::CutTable table;
    table.id = said["quantiles"];
    for (const json& cut : said["cuts"]) {
      table.cuts.push_back(*rating::ParseNumber(cut.get<std::string>()));
    }
    table.organisations = said["organisations"];
    table.known = said["known"];
    EXPECT_EQ(rating::DigestOf(scheme, table), vector["digest"]) << vector;
  }
}

TEST(VectorsTest, Rounds) {
  const json vectors = Vectors();
  for (const json& vector : vectors["rounds"]) {
    std::map<std::pair<int, std::string>, digest::Digest> ordered;
    for (const auto& [organisation, hex] : vector["ratings"].items()) {
      ordered[{digest::BucketOf(organisation), organisation}] =
          *digest::FromHex(hex.get<std::string>());
    }
    digest::RoundDigester digester;
    for (const auto& [place, digest] : ordered) digester.Add(place.second, digest);
    EXPECT_EQ(digest::ToHex(digester.Finish()), vector["digest"]) << vector;
  }
}

TEST(VectorsTest, Schemes) {
  const json vectors = Vectors();
  for (const json& vector : vectors["schemes"]) {
    const auto scheme = wire::ParseScheme(vector["text"].get<std::string>());
    ASSERT_TRUE(scheme.ok()) << scheme.status();
    EXPECT_EQ(digest::ToHex(*wire::SchemeDigest(*scheme)), vector["digest"]) << vector;
  }
}

}  // namespace
}  // namespace starratings
