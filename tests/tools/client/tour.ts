// A client generated from openapi.yaml compiles under `strict`, and its types mean something.
import createClient from "openapi-fetch";
import type { paths } from "./schema";

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:8080" });

export async function alive(): Promise<boolean> {
  const { data } = await client.GET("/livez");
  return data?.status === "ok";
}

export async function streets(): Promise<string[]> {
  const { data, error } = await client.GET("/api/v1/regions", {
    params: { query: { level: "street", limit: 100 } },
  });
  if (error) throw new Error(`${error.code}: ${error.detail}`);
  return data.items.map((region) => region.name);
}

// @ts-expect-error a level that does not exist does not compile
export const wrong = client.GET("/api/v1/regions", { params: { query: { level: "planet" } } });
