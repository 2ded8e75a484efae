// The wire between a store and its database, in the hands of a test: it can be
// cut, frozen, or led to another database. What freezes stays connected and says
// nothing more, as a process that was stopped does.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace starratings::store {

class PostgresProxy {
 public:
  enum class Verdict {
    kPass,
    kCut,     // Not passed on; the connection is closed on both sides.
    kFreeze,  // Not passed on, nor what follows, in either direction.
  };
  // Some bytes on their way; where they begin and end means nothing.
  struct Bytes {
    int connection = 0;  // From 0, in the order they were made.
    bool to_server = false;
    absl::string_view bytes;
  };
  using Judge = std::function<Verdict(const Bytes&)>;

  // Listens on a port of loopback for clients of the database that `uri` names.
  static absl::StatusOr<std::unique_ptr<PostgresProxy>> Start(const std::string& uri);
  ~PostgresProxy();
  PostgresProxy(const PostgresProxy&) = delete;
  PostgresProxy& operator=(const PostgresProxy&) = delete;

  // The same database, over this wire.
  std::string uri() const;
  int port() const { return port_; }

  // Connections made from now on reach the database that `uri` names instead;
  // those that there are stay where they are.
  void LeadTo(const std::string& uri);

  // Asks `judge` about all that passes from now on. Called on threads of the
  // proxy, one call at a time.
  void Ask(Judge judge);

  // Closes all connections there are, on both sides.
  void CutAll();

  // Clients that have come so far.
  int connections() const { return connections_; }

 private:
  // Where a database is, and what it is called.
  struct Place {
    std::string host, port, user, database;
  };

  struct Link;

  PostgresProxy() = default;
  static absl::StatusOr<Place> PlaceOf(const std::string& uri);
  void Accept();
  void Pump(Link& link, bool to_server);
  Verdict JudgeOf(const Bytes& bytes);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> cuts_ = 0;  // How often all were cut.
  std::atomic<int> connections_ = 0;

  mutable std::mutex mutex_;  // Guards the next two.
  Place place_;
  Judge judge_;
  std::mutex judging_;

  std::vector<std::thread> pumps_;  // Of the accepting thread, then of the destructor.
  std::thread accepting_;
};

}  // namespace starratings::store
