// WatchRounds, beside what it shares with WatchEvidence: reading each round again.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "assessment-svc/service/round_fixture.h"
#include "common/serving/grpc_status.h"

namespace starratings::service {
namespace {

using testing::ElementsAre;

watch::TailOptions InAHurry() {
  watch::TailOptions options;
  options.poll = absl::Milliseconds(5);
  options.bookmark_every = absl::Milliseconds(20);
  options.stall = absl::Seconds(1);
  return options;
}

class WatchRoundsTest : public RoundTest {
 protected:
  WatchRoundsTest() : RoundTest(absl::ZeroDuration(), {}, InAHurry()) {}
  ~WatchRoundsTest() override { store_->SetHook(nullptr); }

  struct Watch {
    Watch(Stub& stub, const pb::WatchRoundsRequest& request)
        : reader(stub.WatchRounds(&context, request)) {}
    ~Watch() { context.TryCancel(); }

    // `may OPEN` of each act, until there are `count`, or the stream ends, with `end`.
    std::vector<std::string> Hear(size_t count) {
      std::vector<std::string> acts;
      pb::WatchRoundsResponse message;
      while (acts.size() < count) {
        if (!reader->Read(&message)) {
          end = serving::FromGrpcStatus(reader->Finish());
          break;
        }
        for (const pb::Round& round : message.rounds()) {
          acts.push_back(absl::StrCat(
              round.id(), " ",
              pb::RoundState_Name(round.acts().rbegin()->state()).substr(sizeof "ROUND_STATE")));
        }
        token = message.snapshot().token();
      }
      return acts;
    }

    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<pb::WatchRoundsResponse>> reader;
    std::string token;
    absl::Status end;
  };

  pb::WatchRoundsRequest After(const std::string& token) {
    pb::WatchRoundsRequest request;
    request.set_after(token);
    return request;
  }
};

// The caller is not to blame for what the store takes, and loses nothing by it.
TEST_F(WatchRoundsTest, ASlowStoreIsNoSlowReader) {
  const std::string before = HeadToken();
  Create(ARound("may"));
  Create(ARound("june"));
  std::atomic<int> slow = 0;
  store_->SetHook([&slow](absl::string_view call, absl::Time) {
    if (call == "ReadRound" && slow++ < 1) absl::SleepFor(2 * InAHurry().stall);
    return absl::OkStatus();
  });
  Watch watch(*rounds_, After(before));

  EXPECT_THAT(watch.Hear(2), ElementsAre("may OPEN", "june OPEN"));

  EXPECT_GE(slow, 1);
  EXPECT_EQ(watch.token, HeadToken());
}

TEST_F(WatchRoundsTest, WhereARoundCannotBeReadTheStreamSaysWhereToGoOn) {
  const std::string before = HeadToken();
  Create(ARound("may"));
  store_->SetHook([](absl::string_view call, absl::Time) {
    return call == "ReadRound" ? absl::UnavailableError("no") : absl::OkStatus();
  });
  Watch broken(*rounds_, After(before));
  EXPECT_THAT(broken.Hear(1), ElementsAre());
  EXPECT_TRUE(absl::IsUnavailable(broken.end)) << broken.end;
  const std::string token = status::DetailOf(broken.end).metadata["token"];
  EXPECT_EQ(token, before);
  store_->SetHook(nullptr);

  Watch again(*rounds_, After(token));

  EXPECT_THAT(again.Hear(1), ElementsAre("may OPEN"));
}

TEST_F(WatchRoundsTest, FaultsOfARequestAreSaid) {
  pb::WatchRoundsRequest request;
  request.add_rounds("No such round");
  Watch watch(*rounds_, request);
  watch.Hear(1);
  EXPECT_TRUE(absl::IsInvalidArgument(watch.end));
  EXPECT_THAT(FieldsOf(watch.end), ElementsAre("rounds[0]"));
}

}  // namespace
}  // namespace starratings::service
