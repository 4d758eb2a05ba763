// The pipeline as one would write it with OpenCV: VideoCapture, our detector at our grid and our embedder in its DNN module, NMSBoxes.
// It does less than the engine: one detector pass instead of two, no landmarks, no tracking, no quality, no search, nothing is wiped.
// It searches as many frames as the engine does, between which that follows faces.
// Usage: pipeline CLIP GRAPHS EMBEDDER SEARCHES_PER_FRAME SHOTS_PER_FRAME ROUNDS. Prints frames per second and processor milliseconds per frame.
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace {

constexpr int grid_width = 640, grid_step = 32;

struct Level {
    int stride;
    std::vector<float> sizes;
};

double processor_ms()
{
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* Ultra-Light-Fast-Generic: priors around cell centres, variances 0.1 and 0.2. */
void decode(const cv::Mat &scores, const cv::Mat &locations, cv::Size grid, float scale, std::vector<cv::Rect> &boxes, std::vector<float> &confidences)
{
    static const std::vector<Level> levels{{8, {10, 16, 24}}, {16, {32, 48}}, {32, {64, 96}}, {64, {128, 192, 256}}};
    const float *score = scores.ptr<float>(), *location = locations.ptr<float>();
    for (const Level &level : levels) {
        int columns = (grid.width + level.stride - 1) / level.stride, rows = (grid.height + level.stride - 1) / level.stride;
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                for (float size : level.sizes) {
                    if (score[1] >= 0.6f) {
                        float x = (column + 0.5f) * grid.width / columns + 0.1f * size * location[0], y = (row + 0.5f) * grid.height / rows + 0.1f * size * location[1];
                        float width = size * std::exp(0.2f * location[2]), height = size * std::exp(0.2f * location[3]);
                        boxes.emplace_back((x - width / 2) / scale, (y - height / 2) / scale, width / scale, height / scale);
                        confidences.push_back(score[1]);
                    }
                    score += 2;
                    location += 4;
                }
    }
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 7) {
        std::fprintf(stderr, "usage: pipeline CLIP GRAPHS EMBEDDER SEARCHES_PER_FRAME SHOTS_PER_FRAME ROUNDS\n");
        return 2;
    }
    std::string clip = argv[1], graphs = argv[2];
    double searches_per_frame = std::atof(argv[4]), shots_per_frame = std::atof(argv[5]);
    int rounds = std::atoi(argv[6]);
    cv::dnn::Net detector = cv::dnn::readNetFromONNX(graphs + "/detector-640x384.onnx"), embedder = cv::dnn::readNetFromONNX(argv[3]);
    long frames = 0, searched = 0, embedded = 0, found = 0;
    double started_ms = 0;
    std::chrono::steady_clock::time_point started;
    std::vector<cv::Mat> outputs;
    // The first round warms up.
    for (int round = 0; round <= rounds; round++) {
        if (round == 1) {
            frames = searched = embedded = found = 0;
            started_ms = processor_ms();
            started = std::chrono::steady_clock::now();
        }
        cv::VideoCapture capture(clip);
        if (!capture.isOpened()) {
            std::fprintf(stderr, "OpenCV cannot open %s\n", clip.c_str());
            return 4;
        }
        cv::Mat frame, small, padded;
        while (capture.grab()) {
            if (++frames * searches_per_frame < searched + 1)
                continue;
            searched++;
            capture.retrieve(frame);
            float scale = (float)grid_width / frame.cols;
            int height = (int)std::lround(frame.rows * scale);
            cv::Size grid(grid_width, (height + grid_step - 1) / grid_step * grid_step);
            cv::resize(frame, small, cv::Size(grid_width, height));
            cv::copyMakeBorder(small, padded, 0, grid.height - height, 0, 0, cv::BORDER_CONSTANT, cv::Scalar(127, 127, 127));
            detector.setInput(cv::dnn::blobFromImage(padded, 1 / 128.0, grid, cv::Scalar(127, 127, 127), true));
            detector.forward(outputs, std::vector<cv::String>{"scores", "462"});
            std::vector<cv::Rect> boxes;
            std::vector<float> confidences;
            std::vector<int> kept;
            decode(outputs[0], outputs[1], grid, scale, boxes, confidences);
            cv::dnn::NMSBoxes(boxes, confidences, 0.6f, 0.35f, kept);
            found += kept.size();
            // As many faces as the engine embeds, whichever they are; where none was found, the middle of the frame.
            for (size_t next = 0; embedded < (long)(shots_per_frame * frames); embedded++, next++) {
                cv::Rect box = kept.empty() ? cv::Rect(frame.cols / 2, frame.rows / 2, 64, 64) : boxes[kept[next % kept.size()]];
                box &= cv::Rect(0, 0, frame.cols, frame.rows);
                if (box.empty())
                    box = cv::Rect(0, 0, 64, 64);
                cv::Mat face;
                cv::resize(frame(box), face, cv::Size(112, 112));
                embedder.setInput(cv::dnn::blobFromImage(face, 1 / 128.0, cv::Size(112, 112), cv::Scalar(127.5, 127.5, 127.5)));
                cv::Mat embedding = embedder.forward();
            }
        }
    }
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    std::printf("%.3f %.3f\n", frames / seconds, (processor_ms() - started_ms) / frames);
    std::fprintf(stderr, "OpenCV %s: %ld frames, %.2f searched and %.2f faces embedded per frame, %.1f faces found per search\n", CV_VERSION, frames, (double)searched / frames,
                 (double)embedded / frames, (double)found / searched);
    return 0;
}
