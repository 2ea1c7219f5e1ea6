/* Answers the queries of `yiqilai bench match` by looking at everybody: an exact peer that shares no
 * code with the engine, and the answers to compare with.
 *
 * usage: scan DATA TOP PASSES QUERIES HITS
 * Applies the updates, then asks for the best people of the first QUERIES needs `q_*` and for the best
 * needs of the first QUERIES people. Prints one line of JSON; the answers go to HITS. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARTH_M 6371008.8
#define MOST 128

static const char *folder;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* A column of fixed-size values, whole. */
static void *column(const char *name, size_t rows, size_t size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    void *values = malloc(rows * size + 1);
    if (!file || !values || fread(values, size, rows, file) != rows) fail(path);
    fclose(file);
    return values;
}

typedef struct {
    double *lat, *lon;       /* degrees */
    double *x, *y, *z;       /* on the unit sphere */
    int32_t *radius;         /* metres */
    uint64_t *skills;        /* four words: those one has, or those required */
    uint64_t *want;          /* four words; needs alone */
    uint64_t *hours;         /* three words */
    uint8_t *flags, *load, *kind; /* kind: interests of a person, life-cycle code of a need */
} Side;

static void place(Side *side, size_t n) {
    double lat = side->lat[n] * M_PI / 180, lon = side->lon[n] * M_PI / 180;
    side->x[n] = cos(lat) * cos(lon);
    side->y[n] = cos(lat) * sin(lon);
    side->z[n] = sin(lat);
}

static Side side(const char *prefix, size_t rows, int is_need) {
    char name[64];
    Side side = {0};
#define COLUMN(column_, file, count, type) \
    snprintf(name, sizeof name, "%s_%s", prefix, file), side.column_ = column(name, rows, (count) * sizeof(type))
    COLUMN(lat, "lat.f64", 1, double);
    COLUMN(lon, "lon.f64", 1, double);
    COLUMN(radius, "r.i32", 1, int32_t);
    COLUMN(skills, is_need ? "req.u64" : "skills.u64", 4, uint64_t);
    if (is_need) COLUMN(want, "want.u64", 4, uint64_t);
    COLUMN(hours, is_need ? "slots.u64" : "avail.u64", 3, uint64_t);
    COLUMN(flags, "flags.u8", 1, uint8_t);
    COLUMN(load, is_need ? "fill.u8" : "load.u8", 1, uint8_t);
    COLUMN(kind, is_need ? "cat.u8" : "interests.u8", 1, uint8_t);
    side.x = malloc(rows * sizeof(double));
    side.y = malloc(rows * sizeof(double));
    side.z = malloc(rows * sizeof(double));
    for (size_t n = 0; n < rows; n++) place(&side, n);
    return side;
}

static int ones(const uint64_t *a, const uint64_t *b, int words) {
    int sum = 0;
    for (int w = 0; w < words; w++) sum += __builtin_popcountll(a[w] & b[w]);
    return sum;
}

/* The score of a pair; below zero when it does not fit. */
static inline double score(const Side *people, size_t v, const Side *needs, size_t n, int load, double scale) {
    const uint64_t *has = people->skills + 4 * v, *required = needs->skills + 4 * n;
    if ((required[0] & ~has[0]) | (required[1] & ~has[1]) | (required[2] & ~has[2]) | (required[3] & ~has[3])) return -1;
    if (needs->flags[n] & ~people->flags[v]) return -1;
    double dx = people->x[v] - needs->x[n], dy = people->y[v] - needs->y[n], dz = people->z[v] - needs->z[n];
    double half = sqrt(dx * dx + dy * dy + dz * dz) / 2;
    double metres = 2 * EARTH_M * asin(half < 1 ? half : 1);
    double most = people->radius[v] < needs->radius[n] ? people->radius[v] : needs->radius[n];
    if (metres > most) return -1;
    const uint64_t *slots = needs->hours + 3 * n, *want = needs->want + 4 * n;
    int common = ones(people->hours + 3 * v, slots, 3), asked = ones(slots, slots, 3);
    if (asked && !common) return -1;
    int wanted = ones(want, want, 4);
    double skills = wanted ? (double)ones(has, want, 4) / wanted : 1;
    double hours = asked ? (double)common / asked : 1;
    int likes = !people->kind[v] || (people->kind[v] >> needs->kind[n] & 1);
    return 35 * skills + 25 / (1 + metres / scale) + 20 * hours + 10 * likes + 10.0 / (1 + load);
}

typedef struct {
    double score;
    uint32_t id;
} Hit;

static int is_better(Hit a, Hit b) { return a.score > b.score || (a.score == b.score && a.id < b.id); }

/* Keeps the best `top`, in order. */
static int keep(Hit *hits, int count, int top, Hit hit) {
    if (count == top && !is_better(hit, hits[top - 1])) return count;
    int at = count < top ? count++ : top - 1;
    for (; at > 0 && is_better(hit, hits[at - 1]); at--) hits[at] = hits[at - 1];
    hits[at] = hit;
    return count;
}

static double micros(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e6 * now.tv_sec + now.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t number(const char *text, const char *key) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(text, quoted);
    if (!at) fail(key);
    return strtoull(at + strlen(quoted), NULL, 10);
}

int main(int argc, char **argv) {
    if (argc != 6) return fprintf(stderr, "usage: scan DATA TOP PASSES QUERIES HITS\n"), 2;
    folder = argv[1];
    int top = atoi(argv[2]), passes = atoi(argv[3]);
    size_t most = strtoull(argv[4], NULL, 10);
    if (top < 1 || top > MOST) return fprintf(stderr, "TOP is 1 to %d\n", MOST), 2;
    char path[4096], meta[1024] = {0};
    snprintf(path, sizeof path, "%s/meta.json", folder);
    FILE *file = fopen(path, "rb");
    if (!file || !fread(meta, 1, sizeof meta - 1, file)) fail(path);
    fclose(file);
    size_t n = number(meta, "n"), m = number(meta, "m"), q = number(meta, "q"), u = number(meta, "u");
    double scale = number(meta, "L");
    Side people = side("v", n, 0), needs = side("n", m, 1), queries = side("q", q, 1);

    uint8_t *is_move = column("u_kind.u8", u, 1), *loads = column("u_load.u8", u, 1);
    uint32_t *who = column("u_idx.u32", u, 4);
    double *lat = column("u_lat.f64", u, 8), *lon = column("u_lon.f64", u, 8);
    for (size_t i = 0; i < u; i++) {
        if (is_move[i]) {
            people.lat[who[i]] = lat[i];
            people.lon[who[i]] = lon[i];
            place(&people, who[i]);
        } else {
            people.load[who[i]] = loads[i];
        }
    }

    FILE *out = fopen(argv[5], "w");
    if (!out) fail(argv[5]);
    printf("{");
    for (int way = 0; way < 2; way++) {
        size_t asked = way ? n : q, rows = way ? m : n;
        if (asked > most) asked = most;
        double *least = malloc((asked + 1) * sizeof(double));
        for (size_t i = 0; i < asked; i++) {
            Hit hits[MOST];
            int count = 0;
            least[i] = INFINITY;
            for (int pass = 0; pass < passes; pass++) {
                count = 0;
                double started = micros();
                for (size_t j = 0; j < rows; j++) {
                    double fits = way ? score(&people, i, &needs, j, needs.load[j], scale)
                                      : score(&people, j, &queries, i, people.load[j], scale);
                    if (fits >= 0) count = keep(hits, count, top, (Hit){fits, (uint32_t)j});
                }
                double took = micros() - started;
                if (took < least[i]) least[i] = took;
            }
            fprintf(out, "%c %zu", way ? 'r' : 'f', i);
            for (int k = 0; k < count; k++) fprintf(out, " %u:%.9f", hits[k].id, hits[k].score);
            fputc('\n', out);
        }
        qsort(least, asked, sizeof *least, ascending);
        if (asked)
            printf("%s\"%s\": {\"p50_us\": %.1f, \"p99_us\": %.1f}", way ? ", " : "", way ? "reverse" : "forward",
                   least[asked / 2], least[asked * 99 / 100]);
        free(least);
    }
    printf("}\n");
    fclose(out);
    return 0;
}
