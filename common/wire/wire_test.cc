#include <string>

#include "absl/strings/escaping.h"
#include "common/wire/canonical_message.h"
#include "common/wire/evidence_wire.h"
#include "common/wire/scheme_text.h"
#include "common/wire/token.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace starratings::wire {
namespace {

using google::protobuf::TextFormat;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

SourcesById OneSource() {
  status::FieldErrors errors;
  google::protobuf::RepeatedPtrField<evidence::v1::Source> sources;
  *sources.Add() = Parse<evidence::v1::Source>(R"(id: "paf" title: "PAF return")");
  return SourcesFromProto(sources, "sources", errors);
}

std::vector<std::string> FaultsOf(const std::string& item_text) {
  status::FieldErrors errors;
  ItemFromProto(Parse<evidence::v1::EvidenceItem>(item_text), OneSource(), "items[0].", errors);
  std::vector<std::string> fields;
  for (const auto& violation : status::DetailOf(errors.ToStatus()).fields) {
    fields.push_back(violation.field);
  }
  return fields;
}

constexpr char kGood[] =
    R"(organisation: "leeds" period: "2001-02" code: "c" value { decimal: "20.50" }
       source_id: "paf")";

TEST(EvidenceWireTest, AGoodItemHasNoFault) { EXPECT_THAT(FaultsOf(kGood), testing::IsEmpty()); }

TEST(EvidenceWireTest, EveryFaultIsNamed) {
  EXPECT_THAT(FaultsOf(R"(period: "2001 02" code: "C" observed_on: "yesterday")"),
              testing::ElementsAre("items[0].organisation", "items[0].period", "items[0].code",
                                   "items[0].value", "items[0].observed_on", "items[0].source_id"));
}

TEST(EvidenceWireTest, ValuesMustBeOnes) {
  const std::string head = R"(organisation: "o" period: "p" code: "c" source_id: "paf" value )";
  EXPECT_THAT(FaultsOf(head + R"({ decimal: "20.5.1" })"),
              testing::ElementsAre("items[0].value.decimal"));
  EXPECT_THAT(FaultsOf(head + R"({ decimal: "1234567890123" })"),
              testing::ElementsAre("items[0].value.decimal"));
  EXPECT_THAT(
      FaultsOf(head + "{ ratio { numerator: -1 } }"),
      testing::ElementsAre("items[0].value.ratio.numerator", "items[0].value.ratio.denominator"));
  EXPECT_THAT(FaultsOf(head + R"({ level: "any" })"), testing::ElementsAre("items[0].value.level"));
  EXPECT_THAT(FaultsOf(head + "{ missing: MISSING_REASON_UNSPECIFIED }"),
              testing::ElementsAre("items[0].value.missing"));
  EXPECT_THAT(FaultsOf(head + R"({ text: "" })"), testing::ElementsAre("items[0].value.text"));
}

TEST(EvidenceWireTest, TheDigestIsThatOfTheCanonicalMessage) {
  status::FieldErrors errors;
  const evidence::Item item =
      ItemFromProto(Parse<evidence::v1::EvidenceItem>(kGood), OneSource(), "", errors);
  // 20.50 is 20.5: digests are of what is said, not of how it was typed.
  const std::string form = absl::HexStringToBytes(
      "0a056c65656473"                  // 1: leeds
      "1207323030312d3032"              // 2: 2001-02
      "1a0163"                          // 3: c
      "2a060a0432302e35"                // 5: { 1: 20.5 }
      "3a0c120a5041462072657475726e");  // 7: { 2: PAF return }
  EXPECT_EQ(digest::ToHex(item.digest), digest::ToHex(digest::Sha256(form)));
}

TEST(EvidenceWireTest, ADossierComesBackAsItWas) {
  status::FieldErrors errors;
  evidence::RecordedItem item;
  item.item = ItemFromProto(Parse<evidence::v1::EvidenceItem>(kGood), OneSource(), "", errors);
  item.revision = 12;
  item.ordinal = 3;
  item.actor = "analyst";
  item.recorded_at_us = 1'022'716'800'000'001;
  item.reason = "corrected return";
  evidence::Dossier dossier;
  dossier.organisation = {"leeds", "Leeds", "council", "", {}, {}};
  dossier.period = "2001-02";
  dossier.items = {item, item};
  google::protobuf::RepeatedPtrField<evidence::v1::Source> sources;
  evidence::v1::Dossier message;
  SourceWriter(sources).Write(dossier, message);
  ASSERT_EQ(sources.size(), 1);

  const auto back = DossierFromProto(message, SourcesFromProto(sources, "sources", errors));

  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->items.size(), 2u);
  EXPECT_EQ(back->items[0].item.digest, item.item.digest);
  EXPECT_EQ(back->items[0].item.value, item.item.value);
  EXPECT_EQ(back->items[0].Etag(), "3.12");
  EXPECT_EQ(back->items[0].recorded_at_us, item.recorded_at_us);
  EXPECT_EQ(back->organisation, dossier.organisation);

  // Somebody tampered with the value on the way.
  message.mutable_items(0)->mutable_item()->mutable_value()->set_decimal("20.6");
  EXPECT_EQ(DossierFromProto(message, SourcesFromProto(sources, "sources", errors)).status().code(),
            absl::StatusCode::kInternal);
}

TEST(EvidenceWireTest, ValuesAloneMakeTheSameItems) {
  status::FieldErrors errors;
  evidence::RecordedItem item;
  item.item = ItemFromProto(Parse<evidence::v1::EvidenceItem>(kGood), OneSource(), "", errors);
  item.actor = "analyst";
  item.reason = "corrected return";
  evidence::RecordedItem standing = item;
  standing.item.key.period = "standing";
  standing.item.digest = ItemDigest(standing.item);
  evidence::Dossier dossier;
  dossier.organisation = {item.item.key.organisation, "Leeds", "council", "", {}, {}};
  dossier.period = item.item.key.period;
  dossier.items = {item, standing};
  google::protobuf::RepeatedPtrField<evidence::v1::Source> sources;
  evidence::v1::Dossier message;
  SourceWriter(sources).WriteValues(dossier, message);
  EXPECT_EQ(message.items(0).item().organisation(), "");
  EXPECT_EQ(message.items(0).actor(), "");

  const auto back = DossierFromProto(message, SourcesFromProto(sources, "sources", errors));

  ASSERT_TRUE(back.ok()) << back.status();
  ASSERT_EQ(back->items.size(), 2u);
  EXPECT_EQ(back->items[0].item.key, item.item.key);
  EXPECT_EQ(back->items[0].item.digest, item.item.digest);
  EXPECT_EQ(back->items[1].item.key, standing.item.key);
  EXPECT_EQ(back->items[1].item.digest, standing.item.digest);
}

TEST(RegisterWireTest, EveryFaultOfACodeIsNamed) {
  status::FieldErrors errors;
  CodeFromProto(Parse<evidence::v1::Code>(
                    R"(id: "X" value_type: VALUE_TYPE_LEVEL levels: "a" levels: "a" minimum: "x")"),
                "codes[0].", errors);
  std::vector<std::string> fields;
  for (const auto& violation : status::DetailOf(errors.ToStatus()).fields) {
    fields.push_back(violation.field);
  }
  EXPECT_THAT(fields, testing::ElementsAre("codes[0].id", "codes[0].title", "codes[0].kind",
                                           "codes[0].levels[1]", "codes[0].minimum"));
}

TEST(TokenTest, ComesBackAndNoticesAnyChange) {
  const Token token{"0f8fad5b-d9cb-469f-a165-70867728950e", 2, 41};
  const std::string text = EncodeToken(token);
  EXPECT_EQ(*DecodeToken(text), token);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (changed != text) {
      EXPECT_FALSE(DecodeToken(changed).ok()) << i;
    }
  }
  EXPECT_FALSE(DecodeToken("").ok());
  EXPECT_FALSE(DecodeToken(text.substr(1)).ok());
  EXPECT_FALSE(DecodeToken(std::string(1'000, 'A')).ok());
}

TEST(CanonicalMessageTest, IsProtobufWithEverythingDecided) {
  const auto scheme = Parse<scheme::v1::Scheme>(
      R"(scale { level: "a" level: "" lowest_score: 1 } id: "s" input { code: "c" scale: "" })");
  // Fields by number whatever the order of the text; the empty level of a list
  // and the empty member of a oneof are there.
  EXPECT_EQ(absl::BytesToHexString(*CanonicalBytes(scheme)),
            "0a0173"
            "3207"
            "120161"
            "1200"
            "1801"
            "3a05"
            "0a0163"
            "1200");
}

TEST(CanonicalMessageTest, MapsAndUnknownFieldsHaveNone) {
  google::rpc::ErrorInfo with_map;
  (*with_map.mutable_metadata())["a"] = "b";
  EXPECT_FALSE(CanonicalBytes(with_map).ok());
  scheme::v1::Scheme with_unknown;
  with_unknown.GetReflection()->MutableUnknownFields(&with_unknown)->AddVarint(999, 1);
  EXPECT_FALSE(CanonicalBytes(with_unknown).ok());
}

TEST(SchemeTextTest, UnknownFieldsNameTheirLine) {
  const auto scheme = ParseScheme("id: \"s\"\nversion: \"1\"\ncolour: 3\n");
  EXPECT_EQ(scheme.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(scheme.status().message()), testing::HasSubstr("line 3"));
}

TEST(SchemeTextTest, CommentsAndLayoutDoNotCount) {
  const auto a = ParseScheme("id: \"s\" version: \"1\"");
  const auto b = ParseScheme("# why\nversion: '1'\n\nid: 's'");
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(*SchemeDigest(*a), *SchemeDigest(*b));
  EXPECT_EQ(SchemeName(*a), "s@1");
}

}  // namespace
}  // namespace starratings::wire
