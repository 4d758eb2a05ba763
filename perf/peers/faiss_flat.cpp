// FAISS' exact index over rows in a file, driven by lines on standard input, so that another program can take turns with it on one machine.
// Usage: faiss_flat ROWS N D PROBES P      float32, row-major, no header; both files are read into memory.
// In:  "first count k threads"             searches probes [first, first + count).
// Out: "ms processor-ms", then count lines "row score row score …", then a flush. The times are those of IndexFlatIP::search alone.
#include <faiss/IndexFlat.h>
#include <omp.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

extern "C" void openblas_set_num_threads(int);

static void read_all(const char *path, float *into, size_t elements) {
    FILE *file = std::fopen(path, "rb");
    if (!file || std::fread(into, sizeof(float), elements, file) != elements) {
        std::fprintf(stderr, "%s: not %zu float32\n", path, elements);
        std::exit(4);
    }
    std::fclose(file);
}

// Of all threads.
static double processor_ms() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        std::fprintf(stderr, "usage: faiss_flat ROWS N D PROBES P\n");
        return 2;
    }
    const size_t rows = std::strtoull(argv[2], nullptr, 10), length = std::strtoull(argv[3], nullptr, 10);
    const size_t probes = std::strtoull(argv[5], nullptr, 10);
    std::vector<float> queries(probes * length);
    read_all(argv[4], queries.data(), queries.size());

    faiss::IndexFlatIP index(static_cast<int64_t>(length));
    {
        // In pieces: the index makes a copy of its own.
        const size_t piece = 20000;
        std::vector<float> part(piece * length);
        FILE *file = std::fopen(argv[1], "rb");
        for (size_t done = 0; done < rows; done += piece) {
            const size_t now = rows - done < piece ? rows - done : piece;
            if (!file || std::fread(part.data(), sizeof(float) * length, now, file) != now) {
                std::fprintf(stderr, "%s: not %zu x %zu float32\n", argv[1], rows, length);
                return 4;
            }
            index.add(static_cast<int64_t>(now), part.data());
        }
        std::fclose(file);
    }
    std::printf("ready\n");
    std::fflush(stdout);

    size_t first, count;
    int64_t k;
    int threads;
    while (std::scanf("%zu %zu %" SCNd64 " %d", &first, &count, &k, &threads) == 4) {
        if (first + count > probes || k < 1) {
            std::fprintf(stderr, "no such probes\n");
            return 2;
        }
        // Many probes are multiplied by OpenBLAS, whose threads are its own.
        omp_set_num_threads(threads);
        openblas_set_num_threads(threads);
        std::vector<float> scores(count * static_cast<size_t>(k));
        std::vector<int64_t> found(scores.size());
        const double spent_before = processor_ms();
        const auto start = std::chrono::steady_clock::now();
        index.search(static_cast<int64_t>(count), queries.data() + first * length, k, scores.data(), found.data());
        const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
        std::printf("%.6f %.6f\n", spent.count(), processor_ms() - spent_before);
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < static_cast<size_t>(k); j++)
                std::printf("%" PRId64 " %.9g ", found[i * k + j], scores[i * k + j]);
            std::printf("\n");
        }
        std::fflush(stdout);
    }
    return 0;
}
