// The memory of calls' messages, used again by the next: a busy unary method need
// not allocate every part of its messages, and free it again, one by one.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "google/protobuf/arena.h"
#include "grpcpp/support/message_allocator.h"

namespace starratings::serving {

// For CallbackService::SetMessageAllocatorFor_...(); must outlive the server.
// Thread-safe.
template <typename Request, typename Response>
class RecyclingAllocator final : public grpc::MessageAllocator<Request, Response> {
 public:
  grpc::MessageHolder<Request, Response>* AllocateMessages() override {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return new Pair(*this);
    Pair* const pair = idle_.back().release();
    idle_.pop_back();
    return pair;
  }

 private:
  // Pairs that are kept, and the bytes that one may hold.
  static constexpr size_t kIdleMost = 128;
  static constexpr size_t kBytesMost = 64 << 10;
  static constexpr size_t kBytesFirst = 8 << 10;

  class Pair final : public grpc::MessageHolder<Request, Response> {
   public:
    explicit Pair(RecyclingAllocator& owner)
        : owner_(owner), first_(kBytesFirst), arena_(first_.data(), first_.size()) {
      Make();
    }
    void Release() override {
      std::unique_ptr<Pair> self(this);
      // What is beyond the first block goes back.
      if (arena_.Reset() > kBytesMost) return;
      Make();
      const std::lock_guard lock(owner_.mutex_);
      if (owner_.idle_.size() < kIdleMost) owner_.idle_.push_back(std::move(self));
    }

   private:
    void Make() {
      this->set_request(google::protobuf::Arena::CreateMessage<Request>(&arena_));
      this->set_response(google::protobuf::Arena::CreateMessage<Response>(&arena_));
    }

    RecyclingAllocator& owner_;
    std::vector<char> first_;
    google::protobuf::Arena arena_;
  };

  std::mutex mutex_;  // Guards the next.
  std::vector<std::unique_ptr<Pair>> idle_;
};

}  // namespace starratings::serving
