// The wire server beside PostgreSQL 15 itself: the same client, the same table, in turns, medians.
//
//   pgwire_bench [--rows N] [--rounds N] [--postgres BIN]
//
// - SELECT of N rows of 8 columns as text (goal 1.4 of PostgreSQL's rows/s)
// - `select 1`, a round trip: simple, extended, prepared (goal 1.5 of PostgreSQL's time). Its
// answer
//   is kept with the plan, so: a small question of a table as well, which the engine does answer
//
// Both servers are started here, on the first processor, while the client has the second: Leat's in
// a process of its own, PostgreSQL from BIN (Debian's place by default) on a folder that is removed
// at the end. Server CPU is that of the process that answers.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "child_process.h"
#include "measure.h"
#include "warehouse/engine/database.h"
#include "warehouse/pgwire/server.h"
#include "warehouse/session/warehouse.h"

namespace {

using namespace leat;  // NOLINT(google-build-using-namespace): a program of one file

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "pgwire_bench: {}\n", what);
  std::exit(1);
}

double now() {
  return bench::seconds_of(CLOCK_MONOTONIC);
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) fail("no free port");
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

/// PostgreSQL; gone at the end of the scope.
class PostgresProcess {
 public:
  explicit PostgresProcess(pid_t process) : process_(process) {}
  PostgresProcess(const PostgresProcess&) = delete;
  PostgresProcess& operator=(const PostgresProcess&) = delete;
  ~PostgresProcess() {
    kill(process_, SIGINT);
    waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_;
};

int serve_leat(const std::function<void(std::uint16_t)>& tell, const std::function<void()>& wait) {
  engine::tune_allocator();
  auto warehouse = session::Warehouse::open({.admin_password = "Secret123"});
  bench::require(warehouse, "opening the warehouse");
  auto server = pgwire::Server::start({.listen = "127.0.0.1:0", .tls = false}, **warehouse);
  bench::require(server, "starting the server");
  tell((*server)->port());
  wait();
  return 0;
}

/// Runs a program, as user postgres when we are root.
pid_t spawn(std::vector<std::string> arguments, const std::string& log) {
  const pid_t child = fork();
  if (child != 0) return child;
  bench::pin_to(0);
  if (std::freopen(log.c_str(), "a", stdout) == nullptr) _exit(126);
  dup2(1, 2);
  if (getuid() == 0) {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) _exit(126);
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  execv(pointers[0], pointers.data());
  _exit(127);
}

std::unique_ptr<PostgresProcess> start_postgres(const std::string& programs,
                                                const std::string& folder, std::uint16_t port) {
  if (const passwd* user = getpwnam("postgres"); getuid() == 0 && user != nullptr) {
    if (chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0) fail("chown " + folder);
  }
  int status = 0;
  waitpid(spawn({programs + "/initdb", "-D", folder + "/data", "-U", "leat", "-A", "trust", "-E",
                 "UTF8", "--locale=C.UTF-8", "--no-sync"},
                folder + "/log"),
          &status, 0);
  if (status != 0) fail("initdb failed: " + folder + "/log");
  return std::make_unique<PostgresProcess>(
      spawn({programs + "/postgres", "-D", folder + "/data", "-p", std::to_string(port), "-k",
             folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "autovacuum=off"},
            folder + "/log"));
}

class Client {
 public:
  Client(std::uint16_t port, const std::string& database, pid_t process) {
    const std::string address = fmt::format(
        "host=127.0.0.1 port={} user=leat password=Secret123 dbname={} sslmode=disable "
        "connect_timeout=20",
        port, database);
    for (int i = 0; i < 100; ++i) {
      connection_.reset(PQconnectdb(address.c_str()));
      if (PQstatus(connection_.get()) == CONNECTION_OK) break;
      usleep(100'000);
    }
    if (PQstatus(connection_.get()) != CONNECTION_OK) fail(PQerrorMessage(connection_.get()));
    server_ = process != 0 ? process : PQbackendPID(connection_.get());
  }

  int query(const char* sql) { return rows_of(PQexec(connection_.get(), sql), sql); }
  int extended(const char* sql) {
    return rows_of(PQexecParams(connection_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0),
                   sql);
  }
  void prepare(const char* sql) {
    rows_of(PQprepare(connection_.get(), "s", sql, 0, nullptr), sql);
  }
  int prepared() {
    return rows_of(PQexecPrepared(connection_.get(), "s", 0, nullptr, nullptr, nullptr, 0), "s");
  }
  [[nodiscard]] double cpu() const { return bench::cpu_us(server_) / 1e6; }

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  int rows_of(PGresult* result, const char* sql) {
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      fail(fmt::format("{}: {}", sql, PQresultErrorMessage(result)));
    }
    const int rows = PQntuples(result);
    PQclear(result);
    return rows;
  }

  std::unique_ptr<PGconn, Finish> connection_;
  pid_t server_ = 0;
};

void fill(Client& client, std::int64_t rows) {
  client.query("create table digits (d int)");
  client.query("insert into digits values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)");
  client.query(
      "create table wide (id int, token varchar(64), user_id varchar(64), n bigint, price "
      "decimal(10,2), ok boolean, score double precision, at timestamp)");
  client.query(
      fmt::format(
          "insert into wide select i, md5(cast(i as varchar(20))), 'user-' || cast(i % 1000 as "
          "varchar(20)), cast(i as bigint) * 7919, cast(i % 10000 as decimal(10,2)) / 100, i % 3 = "
          "0, cast(i as double precision) / 7, cast('2026-11-20 00:00:00' as timestamp) + interval "
          "'1 second' * i from (select a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + "
          "100000 * g.d as i from digits a, digits b, digits c, digits e, digits f, digits g) x "
          "where i < {}",
          rows)
          .c_str());
}

struct Times {
  std::vector<double> wall;
  std::vector<double> cpu;
};

/// Runs `work` on both in turns; the medians of `rounds`.
void in_turns(int rounds, Client& leat, Client& postgres, Times& ours, Times& theirs,
              const std::function<double(Client&)>& work) {
  for (int i = 0; i < rounds; ++i) {
    for (auto* each : {&postgres, &leat}) {
      Times& times = each == &leat ? ours : theirs;
      const double cpu = each->cpu();
      times.wall.push_back(work(*each));
      times.cpu.push_back(each->cpu() - cpu);
    }
  }
}

void compare_rows(int rounds, int rows, Client& leat, Client& postgres) {
  Times ours;
  Times theirs;
  in_turns(rounds, leat, postgres, ours, theirs, [&](Client& client) {
    const double start = now();
    if (client.query("select * from wide") != rows) fail("rows are missing");
    return now() - start;
  });
  const double millions = rows / 1e6;
  fmt::print(
      "rows as text: {:.2f} M rows/s, {:.2f} s server CPU per M; PostgreSQL 15: {:.2f} M rows/s, "
      "{:.2f} s; ratio {:.2f} (goal 1.40)\n",
      millions / bench::median(ours.wall), bench::median(ours.cpu) / millions,
      millions / bench::median(theirs.wall), bench::median(theirs.cpu) / millions,
      bench::median(theirs.wall) / bench::median(ours.wall));
}

void compare_trips(std::string_view what, int rounds, Client& leat, Client& postgres,
                   const std::function<void(Client&)>& trip) {
  constexpr int kTrips = 2000;
  Times ours;
  Times theirs;
  in_turns(rounds, leat, postgres, ours, theirs, [&](Client& client) {
    std::vector<double> each;
    for (int i = 0; i < kTrips; ++i) {
      const double start = now();
      trip(client);
      each.push_back(now() - start);
    }
    return bench::median(std::move(each));
  });
  fmt::print(
      "{}: {:.0f} us, {:.0f} us server CPU; PostgreSQL 15: {:.0f} us, {:.0f} us; ratio {:.2f}{}\n",
      what, bench::median(ours.wall) * 1e6, bench::median(ours.cpu) / kTrips * 1e6,
      bench::median(theirs.wall) * 1e6, bench::median(theirs.cpu) / kTrips * 1e6,
      bench::median(ours.wall) / bench::median(theirs.wall),
      what.starts_with("select 1") ? " (goal at most 1.50)" : "");
}

}  // namespace

int main(int argc, char** argv) {
  std::int64_t rows = 500'000;
  int rounds = 5;
  std::string programs = "/usr/lib/postgresql/15/bin";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--rows") rows = parse_number<std::int64_t>(argv[i + 1]).value_or(rows);
    if (flag == "--rounds") rounds = parse_number<int>(argv[i + 1]).value_or(rounds);
    if (flag == "--postgres") programs = argv[i + 1];
  }
  if (rows > 1'000'000) fail("at most 1000000 rows");
  std::string folder = "/tmp/pgwire-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) fail("no folder in /tmp");
  {
    const bench::Child leat_server(serve_leat);  // before anything that starts threads
    const std::uint16_t postgres_port = free_port();
    const auto postgres_server = start_postgres(programs, folder, postgres_port);
    bench::pin_to(1);
    Client leat(leat_server.port(), "dev", leat_server.pid());
    Client postgres(postgres_port, "postgres", 0);
    fill(leat, rows);
    fill(postgres, rows);
    postgres.query("vacuum analyze wide");
    compare_rows(rounds, static_cast<int>(rows), leat, postgres);
    compare_trips("select 1, simple", rounds, leat, postgres,
                  [](Client& c) { c.query("select 1"); });
    compare_trips("select 1, extended", rounds, leat, postgres,
                  [](Client& c) { c.extended("select 1"); });
    leat.prepare("select 1");
    postgres.prepare("select 1");
    compare_trips("select 1, prepared", rounds, leat, postgres, [](Client& c) { c.prepared(); });
    compare_trips("one row of ten, simple", rounds, leat, postgres,
                  [](Client& c) { c.query("select d from digits where d = 7"); });
  }
  std::filesystem::remove_all(folder);
  return 0;
}
