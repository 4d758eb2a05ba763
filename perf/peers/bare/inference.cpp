// ONNX Runtime called bare: the engine's graphs, tensor shapes and numbers of runs, and nothing else: no decoding, no pixels, no wiping.
// Usage: inference GRAPHS FRAMES SEARCHES LOOKS EMBEDS SHOTS WIDTH HEIGHT
//   of FRAMES frames SEARCHES have a detector run at WIDTH x HEIGHT and one at half that; LOOKS faces with two landmark runs each;
//   EMBEDS runs of the embedder with SHOTS faces in all. Prints processor milliseconds per frame: all, detector, landmarks, embedder.
#include <algorithm>
#include <onnxruntime_cxx_api.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

double processor_ms()
{
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* One network; a binding with input and outputs of its own for each shape, as the engine has. */
class Network {
public:
    Network(Ort::Env &env, const std::string &path, const Ort::SessionOptions &options) : session(env, path.c_str(), options)
    {
        Ort::AllocatorWithDefaultOptions allocator;
        input = session.GetInputNameAllocated(0, allocator).get();
        for (size_t i = 0; i < session.GetOutputCount(); i++)
            outputs.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
    }

    void run(std::vector<int64_t> shape)
    {
        auto &plan = plans[shape];
        if (plan == nullptr)
            plan = prepare(shape);
        double before = processor_ms();
        session.Run(Ort::RunOptions{nullptr}, *plan->binding);
        spent_ms += processor_ms() - before;
    }

    double spent_ms = 0;

private:
    struct Plan {
        std::vector<float> values;
        Ort::Value tensor{nullptr};
        std::vector<std::vector<float>> results;
        std::unique_ptr<Ort::IoBinding> binding;
    };

    std::unique_ptr<Plan> prepare(const std::vector<int64_t> &shape)
    {
        auto plan = std::make_unique<Plan>();
        size_t length = 1;
        for (int64_t side : shape)
            length *= side;
        plan->values.resize(length);
        std::mt19937 random(1);
        for (float &value : plan->values)
            value = random() / 2147483648.0f - 1;
        auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
        plan->tensor = Ort::Value::CreateTensor<float>(memory, plan->values.data(), length, shape.data(), shape.size());
        plan->binding = std::make_unique<Ort::IoBinding>(session);
        plan->binding->BindInput(input.c_str(), plan->tensor);
        for (const std::string &name : outputs)
            plan->binding->BindOutput(name.c_str(), memory);
        // The first run tells the outputs' shapes; from then on they go to memory that is there.
        session.Run(Ort::RunOptions{nullptr}, *plan->binding);
        std::vector<std::vector<int64_t>> shapes;
        for (const Ort::Value &value : plan->binding->GetOutputValues())
            shapes.push_back(value.GetTensorTypeAndShapeInfo().GetShape());
        plan->binding->ClearBoundOutputs();
        for (size_t i = 0; i < outputs.size(); i++) {
            size_t elements = 1;
            for (int64_t side : shapes[i])
                elements *= side;
            plan->results.emplace_back(elements);
            plan->binding->BindOutput(outputs[i].c_str(),
                                      Ort::Value::CreateTensor<float>(memory, plan->results[i].data(), elements, shapes[i].data(), shapes[i].size()));
        }
        session.Run(Ort::RunOptions{nullptr}, *plan->binding);
        return plan;
    }

    Ort::Session session;
    std::string input;
    std::vector<std::string> outputs;
    std::map<std::vector<int64_t>, std::unique_ptr<Plan>> plans;
};

/* How many of `total` fall to step i of n when they are spread evenly. */
long share(long total, long i, long n)
{
    return total * (i + 1) / n - total * i / n;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 9) {
        std::fprintf(stderr, "usage: inference GRAPHS FRAMES SEARCHES LOOKS EMBEDS SHOTS WIDTH HEIGHT\n");
        return 2;
    }
    std::string graphs = argv[1];
    long frames = std::atol(argv[2]), searches = std::atol(argv[3]), looks = std::atol(argv[4]), embeds = std::atol(argv[5]), shots = std::atol(argv[6]);
    int64_t width = std::atol(argv[7]), height = std::atol(argv[8]);
    Ort::Env env(ORT_LOGGING_LEVEL_ERROR);
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(1);
    options.SetInterOpNumThreads(1);
    options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
    Network detector(env, graphs + "/ultraface-rfb-320.onnx", options), landmarks(env, graphs + "/landmarks-68.onnx", options),
        embedder(env, graphs + "/mobilefacenet-512.onnx", options);

    auto all = [&] {
        long embedded = 0;
        for (long frame = 0; frame < frames; frame++) {
            if (share(searches, frame, frames) > 0) {
                detector.run({1, 3, height, width});
                detector.run({1, 3, height / 2, width / 2});
            }
            for (long look = 0; look < 2 * share(looks, frame, frames); look++)
                landmarks.run({1, 1, 64, 64});
            for (long run = share(embeds, frame, frames); run > 0; run--, embedded++)
                // Runs and faces are counted at moments a face apart: a run has at least one.
                embedder.run({std::max(1L, share(shots, embedded, embeds)), 3, 112, 112});
        }
    };
    all(); // makes the plans and warms up
    detector.spent_ms = landmarks.spent_ms = embedder.spent_ms = 0;
    double before = processor_ms();
    all();
    double spent = processor_ms() - before;
    std::printf("%.4f %.4f %.4f %.4f\n", spent / frames, detector.spent_ms / frames, landmarks.spent_ms / frames, embedder.spent_ms / frames);
    return 0;
}
