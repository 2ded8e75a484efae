#include "starctl/import_batches.h"

#include "gmock/gmock.h"

namespace starratings::starctl {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<ImportItem> Items(int count, size_t text_bytes = 1) {
  std::vector<ImportItem> items(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    ImportItem& item = items[static_cast<size_t>(i)];
    item.line = i + 2;
    item.item.set_organisation("o" + std::to_string(i));
    item.item.mutable_value()->set_text(std::string(text_bytes, 'x'));
    item.source.set_title(i % 2 == 0 ? "even" : "odd");
  }
  return items;
}

TEST(ImportBatchesTest, SourcesAreSentOnceABatch) {
  const auto batches = MakeBatches(Items(5), 3, "why", "ab");
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_EQ(batches[0].request.items_size(), 3);
  EXPECT_THAT(batches[1].lines, ElementsAre(5, 6));
  for (const Batch& batch : batches) {
    EXPECT_EQ(batch.request.sources_size(), 2);
    EXPECT_EQ(batch.request.reason(), "why");
  }
  EXPECT_EQ(batches[0].request.items(0).item().source_id(),
            batches[0].request.items(2).item().source_id());
}

TEST(ImportBatchesTest, NoBatchIsOverTheLimits) {
  for (const size_t bytes : {1u, 100u, 4'000u}) {
    int total = 0;
    for (const Batch& batch :
         MakeBatches(Items(12'000, bytes), kItemsMost, std::string(2'000, 'r'), "ab")) {
      EXPECT_LE(batch.request.items_size(), 10'000);
      EXPECT_LE(batch.request.ByteSizeLong(), 3u << 20);
      total += batch.request.items_size();
    }
    EXPECT_EQ(total, 12'000);
  }
}

TEST(ImportBatchesTest, TheSameFileGivesTheSameRequestIds) {
  const auto once = MakeBatches(Items(5), 2, "why", "ab");
  const auto again = MakeBatches(Items(5), 2, "why", "ab");
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].request.request_id(), again[i].request.request_id());
  }
  EXPECT_NE(once[0].request.request_id(), once[1].request.request_id());
  EXPECT_NE(once[0].request.request_id(),
            MakeBatches(Items(5), 2, "why", "cd")[0].request.request_id());
  EXPECT_NE(once[0].request.request_id(),
            MakeBatches(Items(5), 2, "other", "ab")[0].request.request_id());
  EXPECT_NE(once[0].request.request_id(),
            MakeBatches(Items(5, 2), 2, "why", "ab")[0].request.request_id());
}

// What was recorded under an id must be found again by every later starctl.
TEST(ImportBatchesTest, RequestIdsNeverChange) {
  EXPECT_EQ(MakeBatches(Items(1), 2, "why", "ab")[0].request.request_id(),
            "ce8e0a28-3f0c-8e0b-b509-8f72e54881dc");
}

TEST(ImportBatchesTest, ErrorsPointToTheFile) {
  const std::vector<int> lines = {2, 5, 9};
  EXPECT_EQ(PointToLines("items[1].item.value.level", "f.csv", lines), "f.csv:5: value.level");
  EXPECT_EQ(PointToLines("items[2].etag", "f.csv", lines), "f.csv:9: etag");
  EXPECT_EQ(PointToLines("must be given: items[0] corrects items[1]", "f.csv", lines),
            "must be given: f.csv:2 corrects f.csv:5");
  for (const char* other : {"items[3].item", "items", "items[x]", "items[", "reason"}) {
    EXPECT_EQ(PointToLines(other, "f.csv", lines), other);
  }
}

}  // namespace
}  // namespace starratings::starctl
