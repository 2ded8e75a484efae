// From bytes to batches: every bad input names line, column and rule; every
// good one becomes what the record takes.
#include "gmock/gmock.h"
#include "starctl/failure.h"
#include "starctl/import_rows.h"
#include "starctl/input.h"
#include "starctl/register_rows.h"

namespace starratings::starctl {
namespace {

using evidence::Code;
using evidence::Decimal;
using evidence::Kind;
using evidence::ValueType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr char kHeader[] = "organisation,period,code,value,numerator,denominator,missing,source\n";

Registered Register() {
  Registered registered;
  registered.organisations = {"walsall", "hull", "Ynys M\xc3\xb4n"};
  registered.periods = {"2001-02"};
  const auto add = [&registered](Code code) { registered.codes.emplace(code.id, code); };
  add({"serving", "", Kind::kJudgement, ValueType::kLevel, "", {}, {}, {"no", "some", "most"}});
  add({"stability",
       "",
       Kind::kIndicator,
       ValueType::kRatio,
       "",
       Decimal(),
       Decimal::FromMicros(Decimal::kMicros),
       {}});
  add({"days",
       "",
       Kind::kIndicator,
       ValueType::kDecimal,
       "",
       Decimal(),
       Decimal::FromMicros(100 * Decimal::kMicros),
       {}});
  add({"open", "", Kind::kMonitoring, ValueType::kFlag, "", {}, {}, {}});
  add({"note", "", Kind::kMonitoring, ValueType::kText, "", {}, {}, {}});
  return registered;
}

struct Result {
  std::vector<ImportItem> items;
  std::string faults;  // As printed; empty if there are none.
};

Result Read(const Input& input) {
  static const Registered* const registered = new Registered(Register());
  BadRows bad("f.csv");
  ItemReader reader(*registered, bad);
  ForEachEntry(input, ImportFields(), ImportWideFields(), bad,
               [&reader](const Entry& entry) { reader.Add(entry); });
  return {reader.TakeItems(), bad.empty() ? "" : Describe(bad.ToStatus())};
}

Input Long(const std::string& bytes, Texts constants = {}, Texts row_filter = {}) {
  Input input;
  input.path = "f.csv";
  auto csv = ParseCsv("f.csv", bytes);
  EXPECT_TRUE(csv.ok()) << csv.status();
  if (csv.ok()) input.csv = *std::move(csv);
  input.constants = std::move(constants);
  input.row_filter = std::move(row_filter);
  return input;
}

Result ReadLongFile(const std::string& rows) { return Read(Long(kHeader + rows)); }

Input Wide(const std::string& bytes, const std::string& mapping) {
  Input input = Long(bytes);
  auto parsed = ParseMapping("m.json", mapping);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  if (parsed.ok()) input.mapping = *std::move(parsed);
  return input;
}

TEST(ImportRowsTest, EachTypeIsReadAsItsCodeIsRegistered) {
  const Result result = ReadLongFile(
      "walsall,2001-02,serving,most,,,,S\n"
      "walsall,2001-02,stability,,30,140,,S\n"
      "hull,2001-02,stability,31 / 141,,,,S\n"
      "walsall,2001-02,days,-0,,,,S\n"
      "walsall,standing,open,Yes,,,,S\n"
      "walsall,2001-02,note,\"two\nlines\",,,,S\n"
      "hull,2001-02,days,,,,NOT_APPLICABLE,S\n");
  ASSERT_EQ(result.faults, "");
  ASSERT_THAT(result.items, SizeIs(7));
  EXPECT_EQ(result.items[0].item.value().level(), "most");
  EXPECT_EQ(result.items[1].item.value().ratio().numerator(), 30);
  EXPECT_EQ(result.items[1].item.value().ratio().denominator(), 140);
  EXPECT_EQ(result.items[2].item.value().ratio().numerator(), 31);
  EXPECT_EQ(result.items[3].item.value().decimal(), "-0");
  EXPECT_TRUE(result.items[4].item.value().flag());
  EXPECT_EQ(result.items[4].item.period(), "standing");
  EXPECT_EQ(result.items[5].item.value().text(), "two\nlines");
  EXPECT_EQ(result.items[5].line, 7);
  EXPECT_EQ(result.items[6].item.value().missing(), evidence::v1::MISSING_REASON_NOT_APPLICABLE);
}

TEST(ImportRowsTest, EveryBadRowNamesLineColumnAndRule) {
  const std::pair<const char*, const char*> cases[] = {
      {"atlantis,2001-02,serving,no,,,,S", "f.csv:2: organisation: `atlantis` must be registered"},
      {",2001-02,serving,no,,,,S", "f.csv:2: organisation: must have 1 to 128 bytes"},
      {"walsall,1999,serving,no,,,,S", "f.csv:2: period: `1999` must be registered"},
      {"walsall,2001/02,serving,no,,,,S", "f.csv:2: period: must be an id"},
      {"walsall,2001-02,nope,no,,,,S", "f.csv:2: code: `nope` must be registered"},
      {"walsall,2001-02,No!,no,,,,S", "f.csv:2: code: must be a code"},
      {"walsall,2001-02,serving,splendid,,,,S",
       "f.csv:2: value: must be one of the levels of serving: no, some, most"},
      {"walsall,2001-02,serving,,,,,S", "f.csv:2: value: must have a value, or a reason"},
      {"walsall,2001-02,serving,no,,,NOT_REPORTED,S", "f.csv:2: missing: must be empty where"},
      {"walsall,2001-02,stability,,1,2,NOT_REPORTED,S", "f.csv:2: missing: must be empty where"},
      {"walsall,2001-02,serving,,,,lost,S", "f.csv:2: missing: must be NOT_REPORTED"},
      {"walsall,2001-02,serving,no,,,,", "f.csv:2: source: must have 1 to 500 bytes"},
      {"walsall,2001-02,days,20.5.1,,,,S", "f.csv:2: value: "},
      {"walsall,2001-02,days,1234567890123,,,,S", "f.csv:2: value: "},
      {"walsall,2001-02,days,20\xe2\x82\xac,,,,S", "f.csv:2: value: "},
      {"walsall,2001-02,days,\"20,5\",,,,S", "f.csv:2: value: "},
      {"walsall,2001-02,days,-0.000001,,,,S", "f.csv:2: value: must not be less than 0"},
      {"walsall,2001-02,days,100.000001,,,,S", "f.csv:2: value: must not be more than 100"},
      {"walsall,2001-02,days,,1,2,,S", "f.csv:2: numerator: must be empty: days is a DECIMAL"},
      {"walsall,2001-02,stability,0.3,,,,S", "f.csv:2: value: must be cases of all cases"},
      {"walsall,2001-02,stability,3/10,3,10,,S", "f.csv:2: value: must be empty where"},
      {"walsall,2001-02,stability,,3,,,S", "f.csv:2: denominator: must have a whole number"},
      {"walsall,2001-02,stability,,3,0,,S", "f.csv:2: denominator: must have a whole number"},
      {"walsall,2001-02,stability,-3/10,,,,S", "f.csv:2: value: must have a whole number"},
      {"walsall,2001-02,stability,1/1000000000001,,,,S", "f.csv:2: value: must have a whole"},
      {"walsall,2001-02,stability,11/10,,,,S", "f.csv:2: value: must not be more than 1, the"},
      {"walsall,2001-02,open,perhaps,,,,S", "f.csv:2: value: must be yes or no"},
  };
  for (const auto& [row, fault] : cases) {
    const Result result = ReadLongFile(std::string(row) + "\n");
    EXPECT_THAT(result.faults, HasSubstr(fault)) << row;
    EXPECT_THAT(result.items, SizeIs(0)) << row;
  }
}

TEST(ImportRowsTest, EdgesOfARangeBelongToIt) {
  EXPECT_EQ(ReadLongFile("walsall,2001-02,days,0,,,,S\nhull,2001-02,days,100.000000,,,,S\n"
                         "walsall,2001-02,stability,0/1,,,,S\nhull,2001-02,stability,7/7,,,,S\n")
                .faults,
            "");
}

TEST(ImportRowsTest, AllBadRowsAreToldAtOnce) {
  const std::string faults = ReadLongFile(
                                 "walsall,2001-02,nope,1,,,,S\n"
                                 "walsall,2001-02,serving,no,,,,S\n"
                                 "atlantis,1999,serving,no,,,,S\n")
                                 .faults;
  EXPECT_THAT(faults, HasSubstr("f.csv: 3 faults"));
  EXPECT_THAT(faults, HasSubstr("f.csv:2: code"));
  EXPECT_THAT(faults, HasSubstr("f.csv:4: organisation"));
  EXPECT_THAT(faults, HasSubstr("f.csv:4: period"));
}

TEST(ImportRowsTest, AKeyTwiceNamesBothLines) {
  EXPECT_THAT(ReadLongFile("walsall,2001-02,serving,no,,,,S\n"
                           "hull,2001-02,serving,no,,,,S\n"
                           "walsall,2001-02,serving,some,,,,S\n")
                  .faults,
              HasSubstr("f.csv:4: must not say the same again: organisation, period, code and "
                        "instance are those of line 2"));
}

TEST(ImportRowsTest, KeysAreComparedInNormalFormC) {
  EXPECT_THAT(ReadLongFile("Ynys M\xc3\xb4n,2001-02,serving,no,,,,S\n"
                           "Ynys Mo\xcc\x82n,2001-02,serving,no,,,,S\n")
                  .faults,
              HasSubstr("f.csv:3: must not say the same again"));
}

TEST(ImportRowsTest, InstancesTellFactsApart) {
  EXPECT_EQ(Read(Long("organisation,period,code,instance,value,source\n"
                      "walsall,2001-02,serving,first,no,S\n"
                      "walsall,2001-02,serving,second,some,S\n"))
                .faults,
            "");
}

TEST(ImportRowsTest, TheSourceIsReadWhole) {
  const std::string sha(64, 'A');
  const Result result = Read(Long(
      "source,source_uri,source_sha256,reconstructed,observed_on,organisation,period,code,value\n"
      "\"A\nletter\",https://x.y/z," +
      sha + ",yes,2002-05-30,walsall,2001-02,serving,no\n"));
  ASSERT_EQ(result.faults, "");
  EXPECT_EQ(result.items[0].source.title(), "A letter");
  EXPECT_EQ(result.items[0].source.uri(), "https://x.y/z");
  EXPECT_EQ(result.items[0].source.sha256(), std::string(64, 'a'));
  EXPECT_TRUE(result.items[0].source.reconstructed());
  EXPECT_EQ(result.items[0].item.observed_on(), "2002-05-30");
  const std::string faults =
      Read(Long("source,source_sha256,reconstructed,observed_on,organisation,period,code,value\n"
                "S,abc,maybe,30 May 2002,walsall,2001-02,serving,no\n"))
          .faults;
  for (const char* column : {"source_sha256", "reconstructed", "observed_on"}) {
    EXPECT_THAT(faults, HasSubstr(std::string("f.csv:2: ") + column + ": must be"));
  }
}

TEST(ImportRowsTest, AnUnknownColumnIsNamedWithThoseThatThereAre) {
  const std::string faults = Read(Long("organisation,period,code,colour,source\n")).faults;
  EXPECT_THAT(faults, HasSubstr("f.csv:1: colour: must be one of the columns organisation, "));
}

TEST(ImportRowsTest, ANeededColumnMayBeAConstant) {
  EXPECT_THAT(Read(Long("organisation,code,value\n")).faults, HasSubstr("f.csv:1: period: must"));
  const Result result = Read(Long("organisation,code,value\nwalsall,serving,no\n",
                                  {{"period", "2001-02"}, {"source", "S"}}));
  ASSERT_EQ(result.faults, "");
  EXPECT_EQ(result.items[0].item.period(), "2001-02");
  EXPECT_THAT(Read(Long(kHeader, {{"period", "2001-02"}})).faults,
              HasSubstr("period: must not be both a column and a constant"));
  EXPECT_THAT(Read(Long("organisation,code,value\n",
                        {{"period", "2001-02"}, {"source", "S"}, {"perod", "x"}}))
                  .faults,
              HasSubstr("perod: must not be a constant"));
}

TEST(ImportRowsTest, RowsCanBeChosen) {
  const Result result =
      Read(Long("organisation,period,code,value,source\n"
                "walsall,2001-02,serving,no,S\nhull,2001-02,serving,no,S\n",
                {}, {{"organisation", "hull"}}));
  ASSERT_EQ(result.faults, "");
  ASSERT_THAT(result.items, SizeIs(1));
  EXPECT_EQ(result.items[0].line, 3);
  EXPECT_THAT(Read(Long(kHeader, {}, {{"quarter", "May"}})).faults,
              HasSubstr("f.csv:1: quarter: must be a column"));
}

constexpr char kMapping[] = R"({
  "id_column": "Home", "name_column": "Title",
  "codes": {"Serving": "serving", "Days": "days"},
  "constants": {"period": "2001-02", "source": "Extract", "kind": "home"},
  "row_filter": {"Quarter": "May"},
  "missing": {"": "NOT_REPORTED", "n/a": "NOT_APPLICABLE"}})";

TEST(MappingTest, AWideRowIsOneItemForEachCode) {
  const Result result =
      Read(Wide("Quarter,Home,Title,Serving,Days,Else\n"
                "May,walsall,Walsall,no,,x\n"
                "June,nobody,Nobody,7,8,x\n"
                "May,hull,Hull,n/a,12.5,x\n",
                kMapping));
  ASSERT_EQ(result.faults, "");
  std::vector<std::string> items;
  for (const ImportItem& item : result.items) {
    items.push_back(item.item.organisation() + " " + item.item.code() + " " +
                    item.item.value().ShortDebugString());
  }
  EXPECT_THAT(items, ElementsAre("walsall days missing: MISSING_REASON_NOT_REPORTED",
                                 "walsall serving level: \"no\"", "hull days decimal: \"12.5\"",
                                 "hull serving missing: MISSING_REASON_NOT_APPLICABLE"));
}

TEST(MappingTest, FaultsNameTheColumnsOfTheFile) {
  const std::string faults = Read(Wide("Quarter,Home,Title,Serving,Days\n"
                                       "May,walsall,Walsall,splendid,1.2.3\n"
                                       "May,atlantis,Atlantis,no,1\n",
                                       kMapping))
                                 .faults;
  EXPECT_THAT(faults, HasSubstr("f.csv:2: Serving: must be one of the levels"));
  EXPECT_THAT(faults, HasSubstr("f.csv:2: Days: "));
  EXPECT_THAT(faults, HasSubstr("f.csv:3: Home: `atlantis` must be registered"));
  EXPECT_THAT(Read(Wide("Quarter,Home,Title,Serving\n", kMapping)).faults,
              HasSubstr("f.csv:1: Days: must be a column, since the mapping names it"));
}

TEST(MappingTest, AnEmptyCellSaysNothingUnlessTheMappingSaysWhat) {
  EXPECT_THAT(Read(Wide("Home,Serving\nwalsall,\n", R"({"id_column": "Home",
                "codes": {"Serving": "serving"},
                "constants": {"period": "2001-02", "source": "S"}})"))
                  .faults,
              HasSubstr("f.csv:2: Serving: must have a value, or a reason"));
}

TEST(MappingTest, WhatIsNoMappingIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"{", "m.json: is not JSON"},
      {"[]", "must be a JSON object"},
      {"{}", "`id_column` must name"},
      {R"({"id_column": 3})", "`id_column` must be a string"},
      {R"({"id_column": "a", "colour": "b"})", "`colour` is not known"},
      {R"({"id_column": "a", "codes": ["b"]})", "`codes` must be an object of strings"},
      {R"({"id_column": "a", "codes": {"b": 1}})", "`codes.b` must be a string"},
      {R"({"id_column": "a", "codes": {"b": "c", "d": "c"}})", "must not both be c"},
      {R"({"id_column": "a", "missing": {"": "LOST"}})", "`LOST` must be NOT_REPORTED"},
  };
  for (const auto& [text, fault] : cases) {
    const auto mapping = ParseMapping("m.json", text);
    EXPECT_EQ(ExitCodeOf(mapping.status()), ExitCode::kBadFile) << text;
    EXPECT_THAT(Describe(mapping.status()), HasSubstr(fault)) << text;
  }
}

TEST(MappingTest, ASlipInAConstantIsNoticed) {
  Input input = Wide("Quarter,Home,Title,Serving,Days\n", kMapping);
  input.mapping->constants["perod"] = "x";
  EXPECT_THAT(Read(input).faults, HasSubstr("perod: must not be a constant"));
}

TEST(MappingTest, TheCommandLineOverrides) {
  Texts values = {{"period", "2001-02"}, {"source", "S"}};
  EXPECT_TRUE(ApplyOverrides("--constant", {"period=2002-03", "a=b=c"}, values).ok());
  EXPECT_THAT(values, ElementsAre(testing::Pair("a", "b=c"), testing::Pair("period", "2002-03"),
                                  testing::Pair("source", "S")));
  for (const char* bad : {"period", "=x", ""}) {
    EXPECT_EQ(ExitCodeOf(ApplyOverrides("--constant", {bad}, values)), ExitCode::kUsage);
  }
}

TEST(RegisterRowsTest, OrganisationsPeriodsAndCodesAreRead) {
  BadRows bad("f.csv");
  const auto organisations =
      ReadOrganisationRows(Long("name,id,kind,to\nHull,hull,council,2003-01-01\n"), bad);
  EXPECT_EQ(organisations.organisations(0).ShortDebugString(),
            "id: \"hull\" name: \"Hull\" kind: \"council\" to: \"2003-01-01\"");
  const auto periods = ReadPeriodRows(Long("id,from,to\np,2001-04-01,2002-04-01\n"), bad);
  EXPECT_EQ(periods.periods(0).ShortDebugString(),
            "id: \"p\" from: \"2001-04-01\" to: \"2002-04-01\"");
  const auto codes = ReadCodeRows(
      Long("id,title,kind,value_type,levels\nc,C,judgement,LEVEL,no | some|most\n"), bad);
  EXPECT_EQ(codes.codes(0).ShortDebugString(),
            "id: \"c\" title: \"C\" kind: KIND_JUDGEMENT value_type: VALUE_TYPE_LEVEL "
            "levels: \"no\" levels: \"some\" levels: \"most\"");
  EXPECT_TRUE(bad.empty()) << Describe(bad.ToStatus());
}

TEST(RegisterRowsTest, FaultsNameLineAndColumn) {
  BadRows bad("f.csv");
  ReadCodeRows(Long("id,title,kind,value_type,levels,minimum\n"
                    "c,C,FEELING,LEVEL,no|no,\nc,C,STATUS,FLAG,,x\n"),
               bad);
  ReadPeriodRows(Long("id,from,to\np,2002-04-01,2001-04-01\n"), bad);
  ReadOrganisationRows(Long("id,name,kind\n,Hull,council\n"), bad);
  const std::string faults = Describe(bad.ToStatus());
  for (const char* fault :
       {"f.csv:2: kind: must be INDICATOR", "f.csv:2: levels: must not occur twice",
        "f.csv:3: id: `c` must not occur again: it is in line 2", "f.csv:3: minimum: must",
        "f.csv:2: to: must be after from", "f.csv:2: id: must have 1 to 128 bytes"}) {
    EXPECT_THAT(faults, HasSubstr(fault));
  }
}

TEST(RegisterRowsTest, OrganisationsComeFromAWideFileToo) {
  BadRows bad("f.csv");
  const auto request = ReadOrganisationRows(
      Wide("Quarter,Home,Title,Serving,Days\nMay,walsall,The Walsall,no,1\nJune,x,X,,\n", kMapping),
      bad);
  ASSERT_TRUE(bad.empty()) << Describe(bad.ToStatus());
  ASSERT_EQ(request.organisations_size(), 1);
  EXPECT_EQ(request.organisations(0).ShortDebugString(),
            "id: \"walsall\" name: \"The Walsall\" kind: \"home\"");
}

TEST(RegisterRowsTest, ALargeRegisterIsSplit) {
  assessment::v1::RegisterRequest whole;
  for (int i = 0; i < 12'000; ++i) {
    whole.add_organisations()->set_id("o" + std::to_string(i));
  }
  const auto requests = SplitRegister(whole, "why");
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[0].organisations_size(), 10'000);
  EXPECT_EQ(requests[1].organisations_size(), 2'000);
  EXPECT_NE(requests[0].request_id(), requests[1].request_id());
  EXPECT_EQ(requests[0].request_id(), SplitRegister(whole, "why")[0].request_id());
}

}  // namespace
}  // namespace starratings::starctl
